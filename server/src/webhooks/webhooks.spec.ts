import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isPublic, publicLookup } from './address.js';
import { post } from './post.js';
import { retryDelayMs } from './retry.js';
import { Secrets } from './secrets.js';

const folder = mkdtempSync(path.join(tmpdir(), 'stic-secrets-'));
let asked = 0;
let receiver: Server;
let port = 0;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    asked++;
    if (request.url === '/slow') return;
    if (request.url === '/away') response.writeHead(302, { location: '/' }).end();
    else response.end('x'.repeat(10_000));
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  port = (receiver.address() as AddressInfo).port;
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
  rmSync(folder, { recursive: true });
});

test('addresses that are not of the public internet are known as such', () => {
  const inner = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...['198.18.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1'],
    ...['::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::'],
    ...['2001:db8::1', '2001::1', 'localhost', ''],
  ];
  for (const address of inner) expect(isPublic(address), address).toBe(false);
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1']) {
    expect(isPublic(address), address).toBe(true);
  }
});

const headers = { 'content-type': 'application/json' };

test('an address that is written out is refused in every spelling, without a connection', async () => {
  const spellings = ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254'];
  const before_ = asked;
  for (const host of spellings) {
    const outcome = await post({ url: `http://${host}:${port}/`, headers, body: '{}', lookup: publicLookup() });
    expect(outcome.refused, host).toBe(true);
    expect(outcome.error).toMatch(/is not a public address/);
  }
  expect(asked).toBe(before_);
});

test('a name is judged by what it resolves to when the connection is made', async () => {
  const answers = ['8.8.8.8', '127.0.0.1'];
  // Public when somebody looks it up beforehand, this machine's own a moment later.
  const rebinding = publicLookup((_, __, done) => done(null, [{ address: answers.shift() ?? '127.0.0.1', family: 4 }]));
  await new Promise<void>((resolve) => {
    rebinding('rebind.example', { all: true }, (error) => {
      expect(error).toBeNull();
      resolve();
    });
  });
  const before_ = asked;
  const outcome = await post({ url: `http://rebind.example:${port}/`, headers, body: '{}', lookup: rebinding });
  expect(outcome.refused).toBe(true);
  expect(outcome.error).toMatch(/rebind\.example is 127\.0\.0\.1/);
  const mixed = publicLookup((_, __, done) =>
    done(null, [
      { address: '8.8.8.8', family: 4 },
      { address: '::1', family: 6 },
    ]),
  );
  expect((await post({ url: `http://mixed.example:${port}/`, headers, body: '{}', lookup: mixed })).refused).toBe(true);
  expect((await post({ url: `http://localhost:${port}/`, headers, body: '{}', lookup: publicLookup() })).refused).toBe(true);
  expect(asked).toBe(before_);
});

test('a receiver that takes too long is left, a redirect is not followed, and an answer is kept in part', async () => {
  const to = (where: string): Promise<Awaited<ReturnType<typeof post>>> =>
    post({ url: `http://127.0.0.1:${port}${where}`, headers, body: '{}', lookup: undefined, deadlineMs: 300 });
  expect((await to('/slow')).error).toMatch(/No answer within 0\.3 seconds/);
  const before_ = asked;
  expect((await to('/away')).status).toBe(302);
  expect(asked).toBe(before_ + 1);
  const taken = await to('/');
  expect([taken.status, taken.response.length, taken.error]).toStrictEqual([200, 2048, '']);
  const closed = await post({ url: 'http://127.0.0.1:1/', headers, body: '{}', lookup: undefined });
  expect(closed.error).toMatch(/ECONNREFUSED/);
  expect(closed.refused).toBe(false);
});

test('the waits grow, differ by a fifth at most and end', () => {
  const waits = Array.from({ length: 7 }, (_, index) => retryDelayMs(index + 1, 0.5) ?? 0);
  expect(waits).toStrictEqual([...waits].sort((a, b) => a - b));
  expect(waits[0]).toBe(5_000);
  expect(retryDelayMs(1, 0)).toBe(4_000);
  expect(retryDelayMs(1, 1)).toBe(6_000);
  expect(retryDelayMs(8, 0.5)).toBeUndefined();
});

test('a sealed secret opens with its own key and under its own endpoint only', () => {
  const secrets = new Secrets({ secretKey: undefined, state: folder });
  const secret = secrets.create();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  const sealed = secrets.seal(secret, 'one');
  expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain(secret);
  expect(sealed).not.toBe(secrets.seal(secret, 'one'));
  expect(new Secrets({ secretKey: undefined, state: folder }).open(sealed, 'one'), 'the key outlives the process').toBe(secret);
  expect(() => secrets.open(sealed, 'two')).toThrow();
  const other = new Secrets({ secretKey: Buffer.alloc(32, 7), state: folder });
  expect(() => other.open(sealed, 'one')).toThrow();
  expect(other.keyId).not.toBe(secrets.keyId);
  expect(statSync(path.join(folder, 'secret-key')).mode & 0o777).toBe(0o600);
});
