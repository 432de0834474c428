import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { DomainError } from '../errors.js';
import { hasEnded, isAlive } from '../processes/process-table.js';
import { pause } from '../timing.js';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { rejection } from '../../../../test/support/expect.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'stic-pg-'));
// Postgres, started by root, runs as another user and must get through.
chmodSync(base, 0o755);
afterAll(() => rmSync(base, { recursive: true, maxRetries: 5 }));

const state = path.join(base, 'state');
const file = (name: string): string => path.join(state, name);
const open = (): ReturnType<typeof EmbeddedPostgres.open> => EmbeddedPostgres.open({ state });
const postmaster = (): number => Number(readFileSync(file('postgres/postmaster.pid'), 'utf8').split('\n')[0]);

/** What holds while the database is open; it is closed whatever comes of it. */
async function opened(holds: (url: string) => Promise<void>): Promise<void> {
  const { url, close } = await open();
  try {
    await holds(url);
  } finally {
    await close();
  }
}

/** Opens the database in a process of its own, as a server does, and says so. */
const OPENER = `
  const { EmbeddedPostgres } = await import(${JSON.stringify(new URL('embedded-postgres.js', import.meta.url).href)});
  await EmbeddedPostgres.open({ state: process.argv[1] });
  process.stderr.write('open');
`;

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

test('it starts from nothing, in UTF-8, for this machine and its user only', async () => {
  let pid = 0;
  await opened(async (url) => {
    const settings = await query(
      url,
      `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses`,
    );
    expect(settings).toStrictEqual(['UTF8', '127.0.0.1']);
    expect(statSync(file('postgres.json')).mode & 0o077, 'nobody else may read the password').toBe(0);
    const wrong = url.replace(/:[^:@/]+@/, ':wrong@');
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    await query(url, 'CREATE TABLE kept (n integer)');
    pid = postmaster();
  });
  expect(isAlive(pid)).toBe(false);
});

test('a server that was killed leaves it running, and the next one adopts it', async () => {
  const server = spawn(process.execPath, ['--input-type=module', '-e', OPENER, state], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = (await once(server.stderr, 'data')) as [Buffer];
  expect(said.toString()).toBe('open');
  const pid = postmaster();
  server.kill('SIGKILL');
  await once(server, 'exit');
  expect(isAlive(pid)).toBe(true);
  await opened(async (url) => {
    expect(postmaster()).toBe(pid);
    await query(url, 'SELECT 1');
  });
});

test('killed, it comes back at the same address with everything that was acknowledged', async () => {
  await opened(async (url) => {
    const pid = postmaster();
    await query(url, 'INSERT INTO kept SELECT generate_series(1, 1000)');
    process.kill(pid, 'SIGKILL');
    expect(await hasEnded(pid, 5_000)).toBe(true);
    let found: unknown[] = [];
    for (const deadline = Date.now() + 20_000; found.length === 0 && Date.now() < deadline; await pause(50)) {
      found = await query(url, 'SELECT count(*) FROM kept').catch(() => []);
    }
    expect(found).toStrictEqual(['1000']);
    expect(postmaster()).not.toBe(pid);
  });
});

test('the number of a dead postmaster may be that of any process today', async () => {
  writeFileSync(file('postgres/postmaster.pid'), `${process.pid}\n${file('postgres')}\n1\n5432\n\n127.0.0.1\n\nready   \n`);
  await opened(async (url) => expect(await query(url, 'SELECT count(*) FROM kept')).toStrictEqual(['1000']));
});

test("a password that is not the database's is refused with both files named", async () => {
  const settings = readFileSync(file('postgres.json'), 'utf8');
  writeFileSync(file('postgres.json'), JSON.stringify({ ...(JSON.parse(settings) as object), password: 'other' }));
  const error = await rejection(open(), DomainError);
  expect(error.message).toContain(file('postgres.json'));
  expect(error.message).toContain(file('postgres'));
  const pid = postmaster();
  process.kill(pid, 'SIGINT');
  expect(await hasEnded(pid, 10_000)).toBe(true);
  writeFileSync(file('postgres.json'), settings);
});

test('data of another major version are refused with both versions and a way out', async () => {
  const version = readFileSync(file('postgres/PG_VERSION'), 'utf8');
  writeFileSync(file('postgres/PG_VERSION'), '12\n');
  const error = await rejection(open(), DomainError);
  expect(error.code).toBe('FAILED_PRECONDITION');
  expect(error.message).toMatch(new RegExp(`made by Postgres 12; the programs here are Postgres ${version.trim()}`));
  expect(error.hint ?? '').toMatch(/PG_BIN.*Postgres 12.*STIC_STATE/);
  writeFileSync(file('postgres/PG_VERSION'), version);
});
