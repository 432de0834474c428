import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { leaseIsOver } from '../../server/src/platform/database/lease.js';
import { advisoryLock } from '../../server/src/platform/database/locks.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { DomainError } from '../../server/src/platform/errors.js';
import { until } from '../support/product.js';
import { ensure, rejection } from '../support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-s-'));
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state') });
});
afterAll(async () => {
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

async function asked<Row extends object>(url: string, sql: string, parameters: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

/** The address of a new, empty database. */
async function emptyDatabase(name: string): Promise<string> {
  await asked(postgres.url, `CREATE DATABASE ${name}`);
  return postgres.url.replace(/[^/]+$/, name);
}

async function opened(url: string, holds: (database: DataSource) => Promise<void>): Promise<void> {
  const database = await openDatabase({ url, entities, migrations });
  try {
    await holds(database);
  } finally {
    await database.destroy();
  }
}

/** What would have to be done to the tables to make them those of the entities. */
async function drift(database: DataSource): Promise<string[]> {
  const { upQueries } = await database.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

const tablesOf = (url: string): Promise<{ name: string }[]> =>
  asked(url, `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`);

test('the migrations make exactly what the entities describe, and a difference would be noticed', async () => {
  await opened(await emptyDatabase('drift'), async (database) => {
    expect(await drift(database)).toStrictEqual([]);
    await database.query('ALTER TABLE dataset ALTER COLUMN source DROP NOT NULL');
    await database.query('DROP INDEX dataset_created_at_id_idx');
    const found = (await drift(database)).join('\n');
    expect(found).toMatch(/"source" SET NOT NULL/);
    expect(found).toMatch(/CREATE INDEX "dataset_created_at_id_idx"/);
  });
});

test('every time is stored with its time zone', async () => {
  await opened(await emptyDatabase('habits'), async (database) => {
    const zoneless: unknown = await database.query(
      `SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'`,
    );
    expect(zoneless).toStrictEqual([]);
  });
});

test('of three servers that start at once on an empty database one migrates and the others wait for it', async () => {
  const url = await emptyDatabase('race');
  const gate = new pg.Client({ connectionString: url });
  await gate.connect();
  await gate.query('SELECT pg_advisory_lock($1)', [advisoryLock.migrations]);
  const program = fileURLToPath(new URL('../support/migrate.js', import.meta.url));
  const servers = Array.from({ length: 3 }, () =>
    spawn(process.execPath, [program], { env: { ...process.env, DATABASE_URL: url }, stdio: ['ignore', 'inherit', 'inherit'] }),
  );
  const exits = servers.map(async (server) => ((await once(server, 'exit')) as [number])[0]);
  await until(
    () => asked(url, `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`),
    (waiting) => waiting.length === 3,
  );
  expect(await tablesOf(url), 'who waits has done nothing').toStrictEqual([]);
  await gate.end();
  expect(await Promise.all(exits)).toStrictEqual([0, 0, 0]);
  const ran = await asked<{ name: string }>(url, 'SELECT name FROM schema_migration ORDER BY id');
  expect(ran.map(({ name }) => name)).toStrictEqual(migrations.map(({ name }) => name));
});

test('a migration that fails leaves nothing half done and no lock, and the next start goes on from there', async () => {
  const url = await emptyDatabase('broken');
  class Broken1999999999999 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('CREATE TABLE half (id integer)');
      await runner.query('SELECT * FROM nowhere');
    }

    down(): Promise<void> {
      return Promise.resolve();
    }
  }
  await expect(openDatabase({ url, entities, migrations: [...migrations, Broken1999999999999] })).rejects.toThrow(/nowhere/);
  expect((await tablesOf(url)).map(({ name }) => name)).not.toContain('half');
  await opened(url, async (database) => expect(await drift(database)).toStrictEqual([]));
});

test('a lease taken since a transaction began is not over for it; one that ran out, or that a clock set back left behind, is', async () => {
  const [looking, taking] = [0, 1].map(() => new pg.Client({ connectionString: postgres.url }));
  ensure(looking);
  ensure(taking);
  await Promise.all([looking.connect(), taking.connect()]);
  try {
    await taking.query('CREATE TABLE leased (expires_at timestamptz)');
    await taking.query('INSERT INTO leased VALUES (NULL)');
    await looking.query('BEGIN');
    await looking.query('SELECT now()');
    const over: boolean[] = [];
    for (const expires of ['5000', '0', '3600000']) {
      await taking.query(`UPDATE leased SET expires_at = now() + $1 * interval '1 millisecond'`, [expires]);
      const { rows } = await looking.query<{ over: boolean }>(`SELECT ${leaseIsOver('expires_at', 5_000)} AS over FROM leased`);
      over.push(...rows.map((row) => row.over));
    }
    expect(over).toStrictEqual([false, true, true]);
  } finally {
    await Promise.all([looking.end(), taking.end()]);
  }
});

test('a database that does not answer is named without its password', async () => {
  const error = await rejection(openDatabase({ url: 'postgres://stic:very-secret@127.0.0.1:1/stic', entities, migrations }), DomainError);
  expect(error.code).toBe('UNAVAILABLE');
  expect(error.message).toMatch(/^Cannot reach Postgres at 127\.0\.0\.1:1\/stic: /);
  expect(JSON.stringify(error)).not.toContain('very-secret');
});
