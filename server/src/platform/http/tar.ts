import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { DomainError } from '../errors.js';
import { sendError } from '../transport/http-errors.js';

const BLOCK = 512;
/** Two empty blocks end an archive. */
const END = 2 * BLOCK;
const LONGEST_NAME = 100;
/** Of sizes in octal digits; larger ones are written in binary. */
const LARGEST_OCTAL = 8 ** 11;

/** A file of an archive; `read` gives its bytes from an offset on. */
export type TarEntry = { readonly name: string; readonly size: number; readonly read: (from: number) => AsyncIterable<Buffer> };

/** A file as it lies on the disk. */
export async function fileEntry(name: string, file: string): Promise<TarEntry> {
  const { size } = await stat(file);
  return { name, size, read: (start) => createReadStream(file, { start }) };
}

/** A part of the archive: a header, a file's content or what fills up its last block. */
type Part = { readonly size: number; readonly read: (from: number) => AsyncIterable<Buffer> | Iterable<Buffer> };

/** A tar whose size is known and of which any range can be made without the bytes before it; it is the same whenever it is made. */
export class Tar {
  private readonly parts: readonly Part[];
  readonly size: number;
  /** Changes with names, sizes and the content that the caller names. */
  readonly etag: string;

  constructor(entries: readonly TarEntry[], content: string) {
    const headers = entries.map(({ name, size }) => headerOf(name, size));
    this.parts = [
      ...entries.flatMap((entry, index): Part[] => [
        fixed(headers[index] ?? Buffer.alloc(0)),
        entry,
        fixed(Buffer.alloc((BLOCK - (entry.size % BLOCK)) % BLOCK)),
      ]),
      fixed(Buffer.alloc(END)),
    ];
    this.size = this.parts.reduce((sum, { size }) => sum + size, 0);
    this.etag = `"${createHash('sha256').update(content).update(Buffer.concat(headers)).digest('hex').slice(0, 32)}"`;
  }

  /** The bytes from `start` up to and with `end`. */
  async *bytes(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    let at = 0;
    for (const { size, read } of this.parts) {
      const [from, until] = [Math.max(0, start - at), Math.min(size, end + 1 - at)];
      if (from < until) yield* exactly(read(from), until - from);
      at += size;
    }
  }
}

const fixed = (bytes: Buffer): Part => ({ size: bytes.length, read: (from) => [bytes.subarray(from)] });

/** So many bytes, no more. A file that is shorter by now breaks the archive off: it must not look like a whole one. */
async function* exactly(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
  if (left > 0) throw new Error(`a file of an archive is ${left} bytes shorter than it was`);
}

function headerOf(name: string, size: number): Buffer {
  const isPlain = /^[\x20-\x7e]*$/.test(name) && name.length <= LONGEST_NAME;
  if (isPlain) return ustar(name, size, '0');
  const record = paxRecord('path', name);
  const padding = Buffer.alloc((BLOCK - (record.length % BLOCK)) % BLOCK);
  return Buffer.concat([ustar('PaxHeader', record.length, 'x'), record, padding, ustar('file', size, '0')]);
}

/** POSIX: `<length of all of it> key=value\n`. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const guess = rest + String(rest).length;
  const length = rest + String(guess).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function ustar(name: string, size: number, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0'.repeat(2), 108);
  if (size < LARGEST_OCTAL) header.write(size.toString(8).padStart(11, '0'), 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write('00000000000', 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Sends the archive or the range of it that was asked for; a download that was cut off can go on. */
export async function sendTar(tar: Tar, name: string, request: Request, response: Response): Promise<void> {
  response.set({
    'Content-Type': 'application/x-tar',
    'Content-Disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}.tar"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
    ETag: tar.etag,
  });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const range = rangeOf(request, tar);
  if (range === 'unsatisfiable') {
    response.set('Content-Range', `bytes */${tar.size}`);
    sendError(response, new DomainError('INVALID_ARGUMENT', `The archive has ${tar.size} bytes; the range lies outside.`), 416);
    return;
  }
  const { start, end } = range ?? { start: 0, end: tar.size - 1 };
  if (range) response.status(206).set('Content-Range', `bytes ${start}-${end}/${tar.size}`);
  response.set('Content-Length', String(end - start + 1));
  response.flushHeaders();
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // Cut off rather than ended: half an archive must not look like a whole one. A reader that goes away early is no fault.
  await pipeline(Readable.from(tar.bytes(start, end), { objectMode: false }), response).catch(() => response.destroy());
}

/** The one range asked for; undefined for the whole: several ranges, or a range of another archive, are answered with all of it. */
function rangeOf(request: Request, tar: Tar): { start: number; end: number } | 'unsatisfiable' | undefined {
  const condition = request.get('If-Range');
  if (condition !== undefined && condition !== tar.etag) return undefined;
  const ranges = request.range(tar.size, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}
