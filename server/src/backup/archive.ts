import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Pack } from 'tar-stream';
import { DomainError, messageOf } from '../platform/errors.js';
import { writeContent } from './digests.js';

/** A backup in one file. */
export const isArchive = (name: string): boolean => name.endsWith('.tar');

/** Packs a backup's folder into a tar, which has its name once it is whole. */
export async function packBackup(folder: string, file: string): Promise<void> {
  const draft = `${file}.partial`;
  const archive = pack();
  const written = pipeline(archive, createWriteStream(draft));
  await Promise.all([written, fill(archive, folder)]);
  const handle = await open(draft, 'r+');
  await handle.sync();
  await handle.close();
  await rename(draft, file);
}

async function fill(archive: Pack, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).replaceAll(path.sep, '/');
    await pipeline(createReadStream(file), archive.entry({ name, size: (await stat(file)).size }));
  }
  archive.finalize();
}

/** Does the work with the backup's folder: the one named, or the tar's content in a temporary one. */
export async function withFolder<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const found = await stat(name).catch(() => undefined);
  if (found?.isFile() !== true) return work(name);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stic-backup-'));
  try {
    await unpack(name, folder);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** INVALID_ARGUMENT when the file is no tar, is cut off, or has names that lead out of the folder. */
async function unpack(file: string, folder: string): Promise<void> {
  const entries = extract();
  const read = pipeline(createReadStream(file), entries);
  read.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const target = path.join(folder, entry.header.name);
      if (!target.startsWith(folder + path.sep)) throw new Error(`${entry.header.name} leads out of it`);
      await writeContent(target, entry as AsyncIterable<Buffer>);
    }
    await read;
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', `${file} cannot be read as a backup: ${messageOf(error)}.`, {
      hint: 'Nothing was changed. Take another copy of this backup, or an older backup.',
      cause: error,
    });
  }
}
