import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import type { Problem } from '@stic/api/http.js';
import { Product, Server, until } from '../support/product.js';
import { rejection } from '../support/expect.js';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const product = new Product();
let server: Server;
let store: ArtifactStore;

beforeAll(async () => {
  server = await product.start();
  store = await ArtifactStore.open(path.join(product.state, 'store'));
});
afterAll(() => product.close());

type Answer = { status: number; headers: http.IncomingHttpHeaders; text: string };

/** A request exactly as written: fetch would tidy up its path and its headers. */
async function raw(method: string, target: string, headers: http.OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  const request = http.request({ hostname, port, method, path: target, headers });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

const errorOf = ({ text }: Answer): Problem => JSON.parse(text) as Problem;
const asJson = { 'content-type': 'application/json' };

test('a request that is not valid is refused with code, field, reason and what to do', async () => {
  const create = (body: object): Promise<Answer> => raw('POST', '/api/datasets', asJson, JSON.stringify(body));
  const images = { name: 'n', kind: 'DATASET_KIND_IMAGES', source: '/tmp' };
  const cases: [object, string, RegExp][] = [
    [{ ...images, name: ' ' }, 'name', /name is missing/],
    [{ ...images, kind: undefined }, 'kind', /kind is missing/],
    [{ ...images, kind: 'DATASET_KIND_FILMS' }, 'kind', /must be one of DATASET_KIND_IMAGES/],
    [{ ...images, source: 'photos' }, 'source', /must be an absolute path/],
    [{ ...images, image_root: '/tmp' }, 'image_root', /belongs to instructions/],
    [{ ...images, kind: 'DATASET_KIND_BENCHMARK', image_list: '/tmp/list.json' }, 'image_list', /belongs to images/],
    [{ ...images, image_list: 'list.json' }, 'image_list', /must be an absolute path/],
    [{ ...images, colour: 'red' }, 'colour', /is not a field here/],
  ];
  for (const [body, field, message] of cases) {
    const answer = await create(body);
    const error = errorOf(answer);
    expect([answer.status, error.code, error.field]).toStrictEqual([400, 'INVALID_ARGUMENT', field]);
    expect(error.detail).toMatch(message);
  }
  expect(errorOf(await create({ ...images, colour: 'red' })).detail).toMatch(/Fields are: .*image_root/);
  expect(errorOf(await raw('GET', '/api/datasets?page_size=-1')).field).toBe('page_size');
  expect(errorOf(await raw('GET', '/api/datasets/not-an-id')).field).toBe('dataset_id');
  expect((await raw('GET', `/api/runs/${randomUUID()}`)).status).toBe(404);
});

test('a body that is no JSON, is none at all or is too large is refused before anything is done', async () => {
  const cut = await raw('POST', '/api/datasets', asJson, '{"name":');
  expect([cut.status, errorOf(cut).code]).toStrictEqual([400, 'INVALID_ARGUMENT']);
  const form = await raw('POST', '/api/datasets', { 'content-type': 'text/plain' }, '{}');
  expect(errorOf(form).detail).toMatch(/Send JSON/);
  const large = await raw('POST', '/api/datasets', asJson, JSON.stringify({ name: 'x'.repeat(1_100_000) }));
  expect([large.status, errorOf(large).code]).toStrictEqual([413, 'RESOURCE_EXHAUSTED']);
  expect(await server.get('/api/datasets')).toStrictEqual({});
});

test('pages of other sites and foreign names for this machine are turned away', async () => {
  const { host } = new URL(server.url);
  const body = JSON.stringify({ name: 'n', kind: 'DATASET_KIND_IMAGES', source: '/tmp' });
  for (const origin of ['http://evil.example', 'null', `http://${host}.evil.example`]) {
    const answer = await raw('POST', '/api/datasets', { ...asJson, origin }, body);
    expect([answer.status, errorOf(answer).code], origin).toStrictEqual([403, 'PERMISSION_DENIED']);
  }
  const rebound = await raw('GET', '/api/runs', { host: 'evil.example' });
  expect(rebound.status).toBe(403);
  expect((await raw('GET', '/api/runs', { origin: `http://${host}` })).status).toBe(200);
  const { headers } = await raw('GET', '/api/runs');
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(String(headers['content-security-policy'])).toMatch(/default-src 'self'/);
  expect(headers['access-control-allow-origin']).toBeUndefined();
  expect(headers['x-powered-by']).toBeUndefined();
});

test('a blob is sent for ever, as an image only when it is one, and else as a file to save', async () => {
  const picture = await store.putBlob(PNG);
  const shown = await raw('GET', `/api/blobs/${picture}?type=image`);
  expect([shown.status, shown.headers['content-type']]).toStrictEqual([200, 'image/png']);
  expect(shown.headers['cache-control'] ?? '').toMatch(/max-age=31536000, immutable/);
  const etag = shown.headers.etag ?? '';
  expect((await raw('GET', `/api/blobs/${picture}?type=image`, { 'if-none-match': etag })).status).toBe(304);

  const script = await store.putBlob('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  expect((await raw('GET', `/api/blobs/${script}?type=image`)).status).toBe(400);
  const saved = await raw('GET', `/api/blobs/${script}`);
  expect(saved.headers['content-type']).toBe('application/octet-stream');
  expect(saved.headers['content-disposition'] ?? '').toMatch(/^attachment/);
  expect(createHash('sha256').update(saved.text).digest('hex')).toBe(script);
  expect(errorOf(await raw('GET', `/api/blobs/${script}?type=page`)).field).toBe('type');
});

test('no address leads out of the store or out of the console', async () => {
  expect((await raw('GET', `/api/blobs/${'0'.repeat(64)}`)).status).toBe(404);
  for (const name of ['..%2Fid', '..%2F..%2Fpostgres.json', '%2Fetc%2Fpasswd', 'A'.repeat(64), '..%00']) {
    const answer = await raw('GET', `/api/blobs/${name}`);
    expect([answer.status, errorOf(answer).field], name).toStrictEqual([400, 'sha256']);
  }
  for (const target of ['/../../package.json', '/..%2f..%2fpackage.json', '/assets/..%2f..%2f..%2fpackage.json', '//etc/passwd']) {
    const { text } = await raw('GET', target);
    expect(text, target).not.toContain('stic-control-plane');
    expect(text, target).not.toContain('root:');
  }
});

test('each address of the console is its page, always asked for again; what is under /api never is', async () => {
  const routes = readFileSync(path.join(repositoryRoot(), 'console/src/routes.tsx'), 'utf8');
  const pages = [...routes.matchAll(/^ {6}\{ path: '(\w+)'/gm)].map(([, page = '']) => `/${page}`);
  expect(pages.length).toBeGreaterThanOrEqual(7);
  for (const target of ['/', ...pages, `/runs/${randomUUID()}`, '/datasets/new']) {
    const { status, headers, text } = await raw('GET', target);
    expect(status, target).toBe(200);
    expect(headers['content-type'] ?? '').toMatch(/text\/html/);
    expect(headers['cache-control']).toBe('no-cache');
    expect(text).toMatch(/<div id="root">/);
  }
  const [script = ''] = /\/assets\/[^"]+\.js/.exec((await raw('GET', '/')).text) ?? [];
  expect((await raw('GET', script)).headers['cache-control'] ?? '').toMatch(/immutable/);
  for (const target of ['/api', '/api/nothing', '/assets/nothing.js', '/metrics', '/docs', '/runs2']) {
    const answer = await raw('GET', target);
    expect([answer.status, errorOf(answer).code], target).toStrictEqual([404, 'NOT_FOUND']);
  }
  const missing = await raw('GET', '/docs', { accept: 'text/html' });
  expect(missing.status).toBe(404);
  expect(missing.text).toMatch(/<div id="root">/);
  expect((await raw('POST', '/runs', asJson, '{}')).status).toBe(404);
});

test('a stream of changes of what is not there is refused before it starts', async () => {
  const refused = await raw('GET', '/api/runs/not-an-id/watch');
  expect([refused.status, errorOf(refused).field]).toStrictEqual([400, 'run_id']);
  expect((await raw('GET', `/api/runs/${randomUUID()}/watch`)).status).toBe(404);
});

test('the server says that it lives and is ready', async () => {
  expect(await server.get('/api/health')).toStrictEqual({ live: true, ready: true });
});

test('the password of the database is in no log, no answer and no other process', async () => {
  const { password } = new URL(product.databaseUrl);
  const second = await Server.start({ STIC_STATE: path.join(product.folder, 'second'), DATABASE_URL: product.databaseUrl });
  try {
    expect((await second.call('GET', '/api/datasets/not-an-id')).status).toBe(400);
    const file = path.join(product.folder, 'second/trainer.json');
    await until(
      () => Promise.resolve(existsSync(file)),
      (found) => found,
    );
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    if (process.platform === 'linux') expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(password);
  } finally {
    await second.stop();
  }
  for (const state of [product.state, path.join(product.folder, 'second')]) {
    const logs = path.join(state, 'logs');
    for (const name of readdirSync(logs)) expect(readFileSync(path.join(logs, name), 'utf8'), name).not.toContain(password);
  }
});

test('a server that cannot start says why, and not with which password', async () => {
  const environment = { STIC_STATE: path.join(product.folder, 'third') };
  const error = await rejection(Server.start({ ...environment, DATABASE_URL: 'postgres://stic:very-secret@127.0.0.1:1/stic' }));
  expect(error.message).toMatch(/Cannot reach Postgres at 127\.0\.0\.1:1\/stic/);
  expect(error.message).toMatch(/hint: /);
  expect(error.message).not.toContain('very-secret');
  await expect(Server.start({ STIC_STATE: product.state })).rejects.toThrow(
    /Another server \(process \d+\) already runs on the state folder/,
  );
  const { port } = new URL(server.url);
  const taken = { ...environment, DATABASE_URL: product.databaseUrl, TRAINERS: '127.0.0.1:1', STIC_HTTP_PORT: port };
  await expect(Server.start(taken)).rejects.toThrow(/another program uses the port/);
});
