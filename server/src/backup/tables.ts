import { createReadStream } from 'node:fs';
import type pg from 'pg';
import { splitLines } from '../platform/storage/artifact-store.js';
import { type Content, writeContent } from './digests.js';

/** Rows fetched or inserted at once. */
const BATCH = 1_000;
const LARGEST_BATCH = 4 * 1024 * 1024;
/** The migrations write their own table. */
const MIGRATIONS = 'schema_migration';

export type Table = {
  readonly name: string;
  /** Its primary key for ORDER BY: the same order whatever the database's collation. */
  readonly order: string;
};

/** All tables but that of the migrations, by name. */
export async function tablesOf(client: pg.ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT relname AS name, coalesce(string_agg(
         quote_ident(attname) || CASE WHEN attcollation = 0 THEN '' ELSE ' COLLATE "C"' END, ', ' ORDER BY position), '1') AS "order"
     FROM pg_class
       LEFT JOIN (pg_index CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (attribute, position)
         JOIN pg_attribute ON attrelid = indrelid AND attnum = attribute) ON indrelid = pg_class.oid AND indisprimary
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> $1
     GROUP BY relname ORDER BY relname COLLATE "C"`,
    [MIGRATIONS],
  );
  return rows;
}

/** Names of the migrations that have made this database, in the order they ran. */
export async function migrationsOf(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ present: boolean }>(`SELECT to_regclass('public.${MIGRATIONS}') IS NOT NULL AS present`);
  if (rows[0]?.present !== true) return [];
  return (await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS} ORDER BY id`)).rows.map(({ name }) => name);
}

/** Exact whatever the session's settings are: times in UTC, figures to the last digit. */
export async function settle(client: pg.ClientBase): Promise<void> {
  await client.query(`SET timezone = 'UTC'; SET extra_float_digits = 1`);
}

/** The table's rows as JSON, one a line, in batches. Within a transaction. */
async function* rowsOf(client: pg.ClientBase, { name, order }: Table, count: (rows: number) => void): AsyncGenerator<string> {
  await client.query(
    `DECLARE rows NO SCROLL CURSOR FOR SELECT row_to_json(row)::text AS json FROM ${quoted(name)} AS row ORDER BY ${order}`,
  );
  for (;;) {
    const { rows } = await client.query<{ json: string }>(`FETCH ${BATCH} FROM rows`);
    if (rows.length === 0) break;
    count(rows.length);
    yield rows.map(({ json }) => `${json}\n`).join('');
  }
  await client.query('CLOSE rows');
}

/** Writes the table to a new file. */
export async function dumpTable(client: pg.ClientBase, table: Table, file: string): Promise<Content & { rows: number }> {
  let rows = 0;
  const content = await writeContent(
    file,
    rowsOf(client, table, (count) => (rows += count)),
  );
  return { ...content, rows };
}

/** Inserts a file's rows. */
export async function loadTable(client: pg.ClientBase, { name }: Table, file: string): Promise<void> {
  const insert = async (lines: string[]): Promise<void> => {
    const target = quoted(name);
    await client.query(`INSERT INTO ${target} SELECT * FROM json_populate_recordset(NULL::${target}, $1::json)`, [`[${lines.join()}]`]);
  };
  let batch: string[] = [];
  let bytes = 0;
  for await (const line of splitLines(createReadStream(file))) {
    batch.push(line.toString());
    bytes += line.length;
    if (batch.length < BATCH && bytes < LARGEST_BATCH) continue;
    await insert(batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) await insert(batch);
}

/** Has the sequences go on behind the highest number in use. */
export async function advanceSequences(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ sequence: string; table: string; column: string }>(
    `SELECT objid::regclass::text AS sequence, relname AS "table", attname AS "column"
     FROM pg_depend
       JOIN pg_class ON pg_class.oid = refobjid
       JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
     WHERE classid = 'pg_class'::regclass AND deptype = 'a' AND relnamespace = 'public'::regnamespace AND relname <> $1
       AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')`,
    [MIGRATIONS],
  );
  for (const { sequence, table, column } of rows) {
    await client.query(`SELECT setval($1, coalesce(max(${quoted(column)}), 0) + 1, false) FROM ${quoted(table)}`, [sequence]);
  }
}

/**
 * Does the work without foreign keys and checks them all at its end: rows may come in any order, also those that point at others of
 * their own table. Within a transaction.
 */
export async function withoutForeignKeys(client: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ table: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
     FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
  );
  for (const { table, name } of rows) await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  await work();
  for (const { table, name, definition } of rows) await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`);
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
