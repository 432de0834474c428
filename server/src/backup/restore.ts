import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { MigrationInterface } from 'typeorm';
import { openDatabase } from '../platform/database/database.js';
import { DomainError } from '../platform/errors.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { copyContent } from './digests.js';
import { damaged, type Manifest, storedFiles, storeFile, tableFile } from './manifest.js';
import { advanceSequences, dumpTable, loadTable, migrationsOf, settle, tablesOf, withoutForeignKeys } from './tables.js';

export type Target = {
  readonly databaseUrl: string;
  readonly store: string;
  /** All that this program knows, in their order. */
  readonly migrations: readonly (new () => MigrationInterface)[];
};

/** The migrations that make the backup's schema; FAILED_PRECONDITION when this program does not have them. */
export function migrationsFor({ migrations }: Manifest, known: Target['migrations']): Target['migrations'] {
  const differs = migrations.findIndex((name, place) => known[place]?.name !== name);
  if (differs === -1) return known.slice(0, migrations.length);
  throw new DomainError('FAILED_PRECONDITION', `The backup's database was made by ${migrations[differs] ?? ''}, which is not known here.`, {
    hint: 'It comes from another version: restore it with that version or a newer one.',
  });
}

/**
 * Loads a verified backup into an empty installation that nobody else uses, and compares what has arrived with the manifest. When
 * anything is wrong, nothing has arrived.
 */
export async function restoreBackup(target: Target, folder: string, manifest: Manifest): Promise<void> {
  const migrations = migrationsFor(manifest, target.migrations);
  const store = await ArtifactStore.open(target.store);
  await checkStoreIsEmpty(store);
  const client = new pg.Client({ connectionString: target.databaseUrl, application_name: 'stic-restore' });
  await client.connect();
  const draft = path.join(store.root, 'tmp', `restore-${randomUUID()}`);
  try {
    await checkDatabaseIsEmpty(client, manifest);
    const database = await openDatabase({ url: target.databaseUrl, entities: [], migrations: [...migrations] });
    await database.destroy();
    await copyFiles(folder, draft);
    await settle(client);
    await client.query('BEGIN');
    await load(client, folder, manifest);
    await compare(client, draft, manifest);
    await publish(draft, store, () => client.query('COMMIT'));
  } finally {
    // Ends a transaction that was not committed.
    await client.end();
    await rm(draft, { recursive: true, force: true });
  }
}

async function checkStoreIsEmpty({ root }: ArtifactStore): Promise<void> {
  for (const kind of ['blobs', 'trees']) {
    if ((await readdir(path.join(root, kind))).length > 0) throw notEmpty(`The artifact store ${root} holds ${kind}`);
  }
}

async function checkDatabaseIsEmpty(client: pg.Client, manifest: Manifest): Promise<void> {
  for (const { name } of await tablesOf(client)) {
    const { rowCount } = await client.query(`SELECT 1 FROM "${name}" LIMIT 1`);
    if (rowCount !== 0) throw notEmpty(`The database has rows in ${name}`);
  }
  const beyond = (await migrationsOf(client)).find((name, place) => manifest.migrations[place] !== name);
  if (beyond !== undefined) throw notEmpty(`The database has been made by ${beyond}, later than the backup's`);
}

const notEmpty = (what: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', `${what}: a backup is only restored into an empty installation.`, {
    hint: 'Set STIC_STATE (or --state) to a new folder and, when you use DATABASE_URL, that to a new database.',
  });

async function copyFiles(folder: string, draft: string): Promise<void> {
  await mkdir(path.join(draft, 'blobs'), { recursive: true });
  await mkdir(path.join(draft, 'trees'), { recursive: true });
  for await (const file of storedFiles(folder)) {
    const { sha256 } = await copyContent(storeFile(folder, file.path), path.join(draft, file.path));
    if (sha256 !== file.sha256) throw damaged(file.path, `its sha256 is ${sha256} and was ${file.sha256}`);
  }
}

async function load(client: pg.Client, folder: string, { tables }: Manifest): Promise<void> {
  const here = await tablesOf(client);
  await withoutForeignKeys(client, async () => {
    for (const table of here) {
      if (!tables.some(({ name }) => name === table.name)) throw damaged('manifest.json', `it does not name the table ${table.name}`);
      await loadTable(client, table, tableFile(folder, table.name));
    }
  });
  await advanceSequences(client);
}

/** Reads the tables back: the same rows give the same file. */
async function compare(client: pg.Client, draft: string, { tables }: Manifest): Promise<void> {
  for (const table of await tablesOf(client)) {
    const file = path.join(draft, `${table.name}.jsonl`);
    const found = await dumpTable(client, table, file);
    await rm(file);
    const wanted = tables.find(({ name }) => name === table.name);
    if (found.rows !== wanted?.rows || found.sha256 !== wanted.sha256) {
      throw damaged(`database/${table.name}.jsonl`, `${wanted?.rows ?? 0} rows were loaded, and ${found.rows} came back that differ`);
    }
  }
}

/** Gives the files their names and ends the transaction; a transaction that cannot end takes the files along. */
async function publish(draft: string, { root }: ArtifactStore, commit: () => Promise<unknown>): Promise<void> {
  for (const kind of ['blobs', 'trees']) await rename(path.join(draft, kind), path.join(root, kind));
  try {
    await commit();
  } catch (error) {
    for (const kind of ['blobs', 'trees']) {
      await rm(path.join(root, kind), { recursive: true, force: true });
      await mkdir(path.join(root, kind));
    }
    throw error;
  }
}

/** Whether there is an installation to take a backup of. */
export const isInstallation = (store: string): boolean => existsSync(path.join(store, 'id'));
