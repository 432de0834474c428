import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename, rm, statfs, utimes } from 'node:fs/promises';
import path from 'node:path';
import { DomainError, invalid, notFound } from '../errors.js';

const SHA256 = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** One byte offset is remembered for every so many lines of a blob. */
const INDEX_STRIDE = 256;
const INDEXED_BLOBS = 64;

/** Files named by the sha256 of what is in them; a name that exists is complete. */
export class ArtifactStore {
  private readonly lineIndexes = new Map<string, LineIndex>();

  private constructor(
    readonly root: string,
    /** The store's identity; a trainer must report the same one. */
    readonly id: string,
  ) {}

  /** Opens the store, making it (and its identity) when it is new. */
  static async open(root: string): Promise<ArtifactStore> {
    for (const folder of ['blobs', 'trees', 'tmp']) await mkdir(path.join(root, folder), { recursive: true });
    return new ArtifactStore(root, claimIdentity(root));
  }

  blobPath(sha256: string): string {
    checkDigest(sha256);
    return path.join(this.root, 'blobs', sha256.slice(0, 2), sha256);
  }

  treePath(digest: string): string {
    checkDigest(digest);
    return path.join(this.root, 'trees', digest);
  }

  hasBlob(sha256: string): Promise<boolean> {
    return exists(this.blobPath(sha256));
  }

  hasTree(digest: string): Promise<boolean> {
    return exists(this.treePath(digest));
  }

  /** Writes the content, unless it is there already, and returns its sha256. */
  async putBlob(content: Buffer | string): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const target = this.blobPath(sha256);
    if (await refresh(target)) return sha256;
    const temporary = path.join(this.root, 'tmp', randomUUID());
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
      await file.close();
      await mkdir(path.dirname(target), { recursive: true });
      await rename(temporary, target);
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw storageError(error);
    }
    return sha256;
  }

  /** Opens a blob to read; NOT_FOUND when the store does not have it. The caller closes the handle. */
  async openBlob(sha256: string): Promise<FileHandle> {
    try {
      return await open(this.blobPath(sha256), 'r');
    } catch (error) {
      if (isMissing(error)) throw notFound(`The artifact store has no blob ${sha256}.`, 'sha256');
      throw error;
    }
  }

  /**
   * The lines from number `from` (0 is the first), at most `limit`. Memory is bounded by the longest line, and going on from
   * where an earlier read ended does not read the blob from its start again.
   */
  async *lines(sha256: string, options: { from?: number; limit?: number } = {}): AsyncGenerator<string, void, undefined> {
    const from = options.from ?? 0;
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const handle = await this.openBlob(sha256);
    const index = this.lineIndex(sha256);
    const start = index.nearest(from);
    const stream = createReadStream('', { fd: handle, start: start.offset });
    let { line, offset } = start;
    try {
      for await (const bytes of splitLines(stream)) {
        if (line >= from + limit) return;
        index.note(line, offset);
        if (line >= from) yield bytes.toString('utf8');
        line += 1;
        offset += bytes.length + 1;
      }
    } finally {
      stream.destroy();
    }
  }

  /** Bytes free for others than root on the store's disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root);
    return bavail * bsize;
  }

  private lineIndex(sha256: string): LineIndex {
    const index = this.lineIndexes.get(sha256) ?? new LineIndex();
    // Re-inserted so that the map stays ordered by use.
    this.lineIndexes.delete(sha256);
    this.lineIndexes.set(sha256, index);
    const [oldest] = this.lineIndexes.keys();
    if (this.lineIndexes.size > INDEXED_BLOBS && oldest !== undefined) this.lineIndexes.delete(oldest);
    return index;
  }
}

/** Splits at newlines only: readline would also split at U+2028 and lone carriage returns, which JSON strings may hold. */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...pending, chunk.subarray(start, end)]);
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) yield Buffer.concat(pending);
}

/** Byte offsets of some lines of an immutable file. */
class LineIndex {
  /** offsets[k] is where line k * INDEX_STRIDE begins. */
  private readonly offsets = [0];

  nearest(line: number): { line: number; offset: number } {
    const slot = Math.min(Math.floor(line / INDEX_STRIDE), this.offsets.length - 1);
    return { line: slot * INDEX_STRIDE, offset: this.offsets[slot] ?? 0 };
  }

  note(line: number, offset: number): void {
    if (line === this.offsets.length * INDEX_STRIDE) this.offsets.push(offset);
  }
}

/** Whether the file is there. Its time says that it is wanted: who removes old files that nobody refers to yet leaves it. */
const refresh = (file: string): Promise<boolean> =>
  utimes(file, new Date(), new Date()).then(
    () => true,
    // Another user's file cannot be touched, but is there.
    (error: unknown) => !isMissing(error),
  );

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

export function checkDigest(digest: string): void {
  if (!SHA256.test(digest)) throw invalid('sha256', 'A sha256 is 64 lower-case hexadecimal digits.');
}

/** `<root>/id`, made once by whoever comes first: linking a finished file is atomic and never replaces one. */
function claimIdentity(root: string): string {
  const file = path.join(root, 'id');
  const own = path.join(root, 'tmp', `id-${randomUUID()}`);
  const existing = readIdentity(file);
  if (existing !== undefined) return existing;
  writeFileSync(own, `${randomUUID()}\n`, { flush: true });
  try {
    linkSync(own, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw storageError(error);
  }
  void rm(own, { force: true });
  const id = readIdentity(file);
  if (id === undefined) throw new DomainError('FAILED_PRECONDITION', `${file} does not hold an artifact store's id.`);
  return id;
}

function readIdentity(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (!UUID.test(text)) throw new DomainError('FAILED_PRECONDITION', `${file} does not hold an artifact store's id (a UUID).`);
  return text;
}

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
const isMissing = (error: unknown): boolean => isCode(error, 'ENOENT');

function storageError(error: unknown): unknown {
  if (!isCode(error, 'ENOSPC')) return error;
  return new DomainError('RESOURCE_EXHAUSTED', 'The disk of the artifact store is full.', {
    hint: 'Free some space, then try again.',
    cause: error,
  });
}
