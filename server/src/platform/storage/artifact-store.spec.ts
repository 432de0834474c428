import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type ErrorCode } from '../errors.js';
import { ArtifactStore } from './artifact-store.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-store-'));
const store = await ArtifactStore.open(path.join(folder, 'store'));
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const isError = (code: ErrorCode) => expect.objectContaining({ code });

async function lines(digest: string, from?: number, limit?: number): Promise<string[]> {
  const found = [];
  for await (const line of store.lines(digest, { ...(from === undefined ? {} : { from }), ...(limit === undefined ? {} : { limit }) }))
    found.push(line);
  return found;
}

test('a blob lies under its sha256, whole, however often and by how many it is written', async () => {
  const content = 'the same content\n'.repeat(10_000);
  const digests = await Promise.all(Array.from({ length: 8 }, () => store.putBlob(content)));
  expect([...new Set(digests)]).toStrictEqual([sha256(content)]);
  const [digest = ''] = digests;
  expect(store.blobPath(digest)).toBe(path.join(store.root, 'blobs', digest.slice(0, 2), digest));
  expect(readFileSync(store.blobPath(digest), 'utf8')).toBe(content);
  expect(await store.hasBlob(digest)).toBe(true);
  expect(readdirSync(path.join(store.root, 'tmp')), 'nothing is left over').toStrictEqual([]);
});

test('what is not there, and what is no digest, is told apart', async () => {
  await expect(store.openBlob(sha256('never stored'))).rejects.toThrow(isError('NOT_FOUND'));
  expect(await store.hasBlob(sha256('never stored'))).toBe(false);
  for (const bad of ['', '../../id', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(64)}/..`]) {
    expect(() => store.blobPath(bad), bad).toThrow(isError('INVALID_ARGUMENT'));
    expect(() => store.treePath(bad), bad).toThrow(isError('INVALID_ARGUMENT'));
  }
});

test('lines are split at newlines only, and the last one needs none', async () => {
  const rows = ['{"text":"line\u2028separator"}', '{"text":"carriage\rreturn"}', '', 'größe', 'end'];
  expect(await lines(await store.putBlob(rows.join('\n')))).toStrictEqual(rows);
  expect(await lines(await store.putBlob(`${rows.join('\n')}\n`))).toStrictEqual(rows);
  expect(await lines(await store.putBlob(''))).toStrictEqual([]);
});

test('any part of a long blob can be read, forwards, backwards and beyond its end', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => `row ${i} ${'x'.repeat((i * 37) % 300)}`);
  const digest = await store.putBlob(rows.join('\n'));
  for (const [from, limit] of [
    [0, 3],
    [255, 3],
    [990, 50],
    [511, 2],
    [512, 1],
    [17, 600],
    [1_000, 5],
    [5_000, 5],
    [3, 0],
  ] as const) {
    expect(await lines(digest, from, limit), `from ${from}`).toStrictEqual(rows.slice(from, from + limit));
  }
});

test('a store has one identity, for all who open it at once and for ever', async () => {
  const root = path.join(folder, 'shared');
  const opened = await Promise.all(Array.from({ length: 5 }, () => ArtifactStore.open(root)));
  expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
  expect((await ArtifactStore.open(root)).id).toBe(opened[0]?.id);
  writeFileSync(path.join(root, 'id'), 'not an id\n');
  await expect(ArtifactStore.open(root)).rejects.toThrow(isError('FAILED_PRECONDITION'));
});

test('the free bytes are those of the disk', async () => {
  expect(await store.freeBytes()).toBeGreaterThan(0);
});
