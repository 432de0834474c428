import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';

/** What is known of a file's content. */
export type Content = { readonly bytes: number; readonly sha256: string };

/** Reads a whole file. */
export async function contentOf(file: string): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes chunks to a new file, to stay; says what was written. */
export async function writeContent(file: string, chunks: AsyncIterable<Buffer | string> | Iterable<Buffer | string>): Promise<Content> {
  await mkdir(path.dirname(file), { recursive: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const target = await open(file, 'wx');
  try {
    for await (const chunk of chunks) {
      const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(buffer);
      bytes += buffer.length;
      await target.writeFile(buffer);
    }
    await target.sync();
  } finally {
    await target.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Copies a file to a new name; what is returned is of the bytes that were written. */
export const copyContent = (from: string, to: string): Promise<Content> => writeContent(to, createReadStream(from));

/** A tree's digest from the digests of its files by relative path, as trainers make it. */
export function treeDigest(files: ReadonlyMap<string, string>): string {
  const lines = [...files].map(([name, sha256]) => `${sha256}  ${name}\n`);
  // By bytes, as Python sorts.
  lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return createHash('sha256').update(lines.join('')).digest('hex');
}
