import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { advisoryLock } from '../platform/database/locks.js';
import { DomainError } from '../platform/errors.js';
import { type Content, copyContent, treeDigest, writeContent } from './digests.js';
import { FILES, FORMAT, type Manifest, MANIFEST, manifestText, storeFile, type StoredFile, tableFile } from './manifest.js';
import { dumpTable, migrationsOf, settle, tablesOf } from './tables.js';

export type Source = { readonly databaseUrl: string; readonly store: string };

/**
 * Writes database and store to a new folder, also while the server works: all tables are read in one snapshot, and the files that
 * its rows name were complete before the rows were written and are kept until the end. The folder has its name once it is whole.
 */
export async function writeBackup({ databaseUrl, store }: Source, folder: string): Promise<Manifest> {
  if (existsSync(folder)) {
    throw new DomainError('ALREADY_EXISTS', `${folder} exists already.`, { hint: 'Name a folder that does not exist yet.' });
  }
  const draft = `${folder}.partial`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'stic-backup' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock_shared($1)', [advisoryLock.files]);
    const manifest = await write(client, store, draft);
    await rename(draft, folder);
    await sync(path.dirname(folder));
    return manifest;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  } finally {
    await client.end();
  }
}

async function write(client: pg.Client, store: string, folder: string): Promise<Manifest> {
  await settle(client);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const migrations = await migrationsOf(client);
  const tables: Manifest['tables'] = [];
  for (const table of await tablesOf(client)) {
    tables.push({ name: table.name, ...(await dumpTable(client, table, tableFile(folder, table.name))) });
  }
  await client.query('COMMIT');
  const files = await copyStore(store, folder);
  const manifest: Manifest = { format: FORMAT, created_at: new Date().toISOString(), migrations, tables, files };
  await writeContent(path.join(folder, MANIFEST), [manifestText(manifest)]);
  await sync(folder);
  return manifest;
}

/** Copies all blobs and trees, each compared with its name, and lists them. */
async function copyStore(store: string, folder: string): Promise<Manifest['files']> {
  let count = 0;
  let total = 0;
  async function* listed(): AsyncGenerator<string> {
    for await (const file of copied(store, folder)) {
      count += 1;
      total += file.bytes;
      yield `${JSON.stringify(file)}\n`;
    }
  }
  const content = await writeContent(path.join(folder, FILES), listed());
  return { count, total_bytes: total, ...content };
}

async function* copied(store: string, folder: string): AsyncGenerator<StoredFile> {
  const copy = async (file: string): Promise<StoredFile> => {
    const { bytes, sha256 }: Content = await copyContent(path.join(store, file), storeFile(folder, file));
    return { path: file, bytes, sha256 };
  };
  for (const prefix of await names(path.join(store, 'blobs'))) {
    for (const name of await names(path.join(store, 'blobs', prefix))) {
      const blob = await copy(`blobs/${prefix}/${name}`);
      if (blob.sha256 !== name) throw rotten(`blobs/${prefix}/${name}`, blob.sha256);
      yield blob;
    }
  }
  for (const name of await names(path.join(store, 'trees'))) {
    const files = new Map<string, string>();
    for (const file of await filesBelow(path.join(store, 'trees', name))) {
      const stored = await copy(`trees/${name}/${file}`);
      files.set(file, stored.sha256);
      yield stored;
    }
    if (treeDigest(files) !== name) throw rotten(`trees/${name}`, treeDigest(files));
  }
}

const names = async (folder: string): Promise<string[]> => (existsSync(folder) ? (await readdir(folder)).sort() : []);

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();
}

const rotten = (name: string, digest: string): DomainError =>
  new DomainError('FAILED_PRECONDITION', `The store's ${name} is damaged: its content has the digest ${digest}.`, {
    hint: 'Move it out of the store (or put a good copy there), then take the backup again.',
  });

/** Makes names within the folder durable. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
