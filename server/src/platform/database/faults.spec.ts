import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { EmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';
import { DomainError } from '../errors.js';
import { openDatabase } from './database.js';
import { ensure } from '../../../../test/support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-f-'));
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state') });
  const owner = new pg.Client({ connectionString: postgres.url });
  await owner.connect();
  await owner.query(`CREATE ROLE guest LOGIN PASSWORD 'secret'`);
  await owner.query(`CREATE ROLE crowd LOGIN PASSWORD 'secret' CONNECTION LIMIT 0`);
  await owner.query('CREATE DATABASE closed ALLOW_CONNECTIONS false');
  await owner.end();
});
afterAll(async () => {
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is said when a server starts on the embedded database's address after a change. */
async function refusal(change: (url: URL) => void): Promise<DomainError> {
  const url = new URL(postgres.url);
  change(url);
  try {
    await (await openDatabase({ url: url.href, entities: [], migrations: [] })).destroy();
  } catch (error) {
    ensure(error instanceof DomainError, String(error));
    expect(`${error.message} ${error.hint ?? ''}`, 'the password is not shown').not.toContain('secret');
    return error;
  }
  throw new Error('the database was opened');
}

const as = (name: string) => (url: URL) => {
  url.username = name;
  url.password = 'secret';
};

const CASES: [what: string, change: (url: URL) => void, code: string, message: RegExp, hint: RegExp][] = [
  ['a wrong password', (url) => (url.password = 'secret'), 'FAILED_PRECONDITION', / refused the login: /, /^Correct user and password/],
  [
    'a wrong database',
    (url) => (url.pathname = '/none'),
    'FAILED_PRECONDITION',
    /\/none has no such database: /,
    /^Create it \(createdb\)/,
  ],
  ['TLS', (url) => url.searchParams.set('sslmode', 'require'), 'FAILED_PRECONDITION', / does not support SSL: /, /sslmode=disable/],
  ['no right to create', as('guest'), 'FAILED_PRECONDITION', / does not let this role create tables: /, /GRANT CREATE ON SCHEMA public/],
  [
    'a read-only database',
    (url) => url.searchParams.set('options', '-c default_transaction_read_only=on'),
    'FAILED_PRECONDITION',
    / is read-only: /,
    /^Point DATABASE_URL at the primary/,
  ],
  ['no connection left', as('crowd'), 'FAILED_PRECONDITION', / has no free connection: /, /^Raise its max_connections/],
  [
    'another refusal',
    (url) => (url.pathname = '/closed'),
    'FAILED_PRECONDITION',
    / refused a statement of the start: .*\(55000\)$/,
    /SQLSTATE/,
  ],
  [
    'nobody there',
    (url) => (url.port = '1'),
    'UNAVAILABLE',
    /^Cannot reach Postgres at 127\.0\.0\.1:1\//,
    /^Start it, or unset DATABASE_URL/,
  ],
];
for (const [what, change, code, message, hint] of CASES) {
  test(`a start that Postgres refuses says why and what to do: ${what}`, async () => {
    const error = await refusal(change);
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint ?? '').toMatch(hint);
  });
}
