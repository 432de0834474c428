import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import { splitLines } from '../platform/storage/artifact-store.js';
import { contentOf } from './digests.js';

/** Raised when older programs could not read what is written. */
export const FORMAT = 1;
export const MANIFEST = 'manifest.json';
/** The store's files, one JSON object a line: {"path","bytes","sha256"}, paths below `store/`. */
export const FILES = 'files.jsonl';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const content = { bytes: z.number().int().min(0), sha256 };
const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  created_at: z.iso.datetime(),
  /** Those that had made the database: the schema's version. */
  migrations: z.array(z.string()),
  /** Each is the file `database/<name>.jsonl`: a row as JSON a line, by primary key. */
  tables: z.array(z.strictObject({ name: z.string().regex(/^\w+$/), rows: z.number().int().min(0), ...content })),
  files: z.strictObject({ count: z.number().int().min(0), total_bytes: z.number().int().min(0), ...content }),
});
const storedFile = z.strictObject({
  path: z.string().regex(/^(blobs\/[0-9a-f]{2}\/[0-9a-f]{64}|trees\/[0-9a-f]{64}\/(?!.*(^|\/)\.{1,2}(\/|$)).+)$/),
  ...content,
});

export type Manifest = z.infer<typeof manifestSchema>;
export type StoredFile = z.infer<typeof storedFile>;

export const tableFile = (folder: string, name: string): string => path.join(folder, 'database', `${name}.jsonl`);
export const storeFile = (folder: string, file: string): string => path.join(folder, 'store', file);

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The manifest's text; the last field is the digest of all before it. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, sha256: digestOf(JSON.stringify(manifest)) }, null, 2)}\n`;
}

/** Reads a backup's manifest; INVALID_ARGUMENT when there is none or it is not as it was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  let whole: { [name: string]: unknown };
  try {
    whole = JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')) as { [name: string]: unknown };
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(MANIFEST, 'it is not JSON');
    throw new DomainError('INVALID_ARGUMENT', `${folder} is no backup: it has no ${MANIFEST} that can be read.`, {
      hint: 'The manifest is written last: a backup without one was not finished. Name the folder or file that `stic backup` has written.',
      cause: error,
    });
  }
  const { sha256: own, ...rest } = whole;
  if (rest['format'] !== FORMAT) {
    throw new DomainError('INVALID_ARGUMENT', `The backup has format ${String(rest['format'])}; this program reads format ${FORMAT}.`, {
      hint: 'Restore it with the version of the control plane that has written it.',
    });
  }
  if (own !== digestOf(JSON.stringify(rest))) throw damaged(MANIFEST, 'its content is not what its own digest says');
  const parsed = manifestSchema.safeParse(rest);
  if (!parsed.success) throw damaged(MANIFEST, z.prettifyError(parsed.error));
  return parsed.data;
}

/** The store's files in the backup, in the order they were written. */
export async function* storedFiles(folder: string): AsyncGenerator<StoredFile> {
  for await (const line of splitLines(createReadStream(path.join(folder, FILES)))) yield storedFile.parse(JSON.parse(line.toString()));
}

/** Reads everything the manifest names; INVALID_ARGUMENT names the first file that is missing or has changed. */
export async function verifyBackup(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  await verify(folder, FILES, manifest.files);
  for (const table of manifest.tables) await verify(folder, path.relative(folder, tableFile(folder, table.name)), table);
  for await (const file of storedFiles(folder)) await verify(folder, path.relative(folder, storeFile(folder, file.path)), file);
  return manifest;
}

async function verify(folder: string, name: string, wanted: { bytes: number; sha256: string }): Promise<void> {
  const file = path.join(folder, name);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw damaged(name, 'it is missing');
  if (found.size !== wanted.bytes) throw damaged(name, `it has ${found.size} bytes and had ${wanted.bytes}`);
  const { sha256: digest } = await contentOf(file);
  if (digest !== wanted.sha256) throw damaged(name, `its sha256 is ${digest} and was ${wanted.sha256}`);
}

export const damaged = (name: string, how: string): DomainError =>
  new DomainError('INVALID_ARGUMENT', `The backup is damaged: ${name}: ${how}.`, {
    hint: 'Nothing was changed. Take another copy of this backup, or an older backup.',
  });
