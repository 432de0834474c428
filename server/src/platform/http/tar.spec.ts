import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { extract } from 'tar-stream';
import { sendTar, Tar, type TarEntry } from './tar.js';

const inMemory = (name: string, content: string): TarEntry => {
  const bytes = Buffer.from(content);
  return { name, size: bytes.length, read: (from) => chunks(bytes.subarray(from)) };
};

/** In pieces of odd sizes, as a disk may give them. */
async function* chunks(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
}

async function bytesOf(tar: Tar, start = 0, end = tar.size - 1): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of tar.bytes(start, end)) parts.push(part);
  return Buffer.concat(parts);
}

async function filesOf(archive: Buffer): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const extracting = extract();
  extracting.end(archive);
  for await (const entry of extracting) {
    let content = '';
    for await (const chunk of entry) content += String(chunk);
    files[entry.header.name] = content;
  }
  return files;
}

const long = `${'deep/'.repeat(60)}file.bin`;
const files = { 'a.json': '{}', empty: '', 'exactly.bin': 'x'.repeat(512), 'größe.txt': 'ü'.repeat(400), [long]: 'y'.repeat(1_000) };
const entries = Object.entries(files).map(([name, content]) => inMemory(name, content));
const tar = new Tar(entries, 'content');

const server = createServer(express().get('/', (request, response) => sendTar(tar, 'all files', request, response)));
let url = '';
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function ask(
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; range: string | null; bytes: Buffer; response: Response }> {
  const response = await fetch(url, { method, headers });
  return {
    status: response.status,
    range: response.headers.get('content-range'),
    bytes: Buffer.from(await response.arrayBuffer()),
    response,
  };
}

test('what tar-stream reads from it are the files, and its size is what was said', async () => {
  const whole = await bytesOf(tar);
  expect(whole).toHaveLength(tar.size);
  expect(await filesOf(whole)).toStrictEqual(files);
});

test('every range of it is that part of the whole', async () => {
  const whole = await bytesOf(tar);
  for (let start = 0; start < tar.size; start += 97) {
    for (const length of [1, 511, 2_000]) {
      const end = Math.min(tar.size, start + length) - 1;
      expect(await bytesOf(tar, start, end), `${start}-${end}`).toStrictEqual(whole.subarray(start, end + 1));
    }
  }
});

test('the etag tells names, sizes and contents apart', () => {
  const others = [
    new Tar(entries, 'other'),
    new Tar(entries.slice(1), 'content'),
    new Tar([inMemory('a.json', '{ }'), ...entries.slice(1)], 'content'),
  ];
  expect(new Set([tar, ...others].map(({ etag }) => etag)).size).toBe(4);
  expect(new Tar(entries, 'content').etag).toBe(tar.etag);
});

test('a file that has become shorter breaks the archive off', async () => {
  const broken = new Tar([{ ...inMemory('a', 'abc'), size: 10 }], 'content');
  await expect(bytesOf(broken)).rejects.toThrow(/7 bytes shorter/);
});

test('a size of more than 8 GiB is written in binary', async () => {
  const [header] = [await bytesOf(new Tar([{ name: 'big', size: 2 ** 34, read: () => [] as never }], ''), 0, 511)];
  expect([header[124], header.readBigUInt64BE(128)]).toStrictEqual([0x80, 2n ** 34n]);
});

test('over HTTP it has length, etag and ranges; a range of another archive is answered with the whole', async () => {
  const whole = await bytesOf(tar);
  const { response, bytes } = await ask({});
  expect(bytes).toStrictEqual(whole);
  const said = (name: string): string | null => response.headers.get(name);
  expect([said('content-length'), said('etag'), said('accept-ranges')]).toStrictEqual([String(tar.size), tar.etag, 'bytes']);
  expect(said('content-disposition')).toBe('attachment; filename="all_files.tar"');
  const cases: [Record<string, string>, number, Buffer, string | null][] = [
    [{ range: 'bytes=600-' }, 206, whole.subarray(600), `bytes 600-${tar.size - 1}/${tar.size}`],
    [{ range: 'bytes=600-699', 'if-range': tar.etag }, 206, whole.subarray(600, 700), `bytes 600-699/${tar.size}`],
    [{ range: 'bytes=-100' }, 206, whole.subarray(-100), `bytes ${tar.size - 100}-${tar.size - 1}/${tar.size}`],
    [{ range: 'bytes=600-699', 'if-range': '"other"' }, 200, whole, null],
    [{ range: 'bytes=0-9,600-699' }, 200, whole, null],
    [{ range: 'lines=1-2' }, 200, whole, null],
    [{ 'if-none-match': tar.etag, 'cache-control': 'max-age=0' }, 304, Buffer.alloc(0), null],
  ];
  for (const [headers, status, expected, range] of cases) {
    const answer = await ask(headers);
    expect([answer.status, answer.range], JSON.stringify(headers)).toStrictEqual([status, range]);
    expect(answer.bytes.equals(expected), JSON.stringify(headers)).toBe(true);
  }
  const beyond = await ask({ range: `bytes=${tar.size}-` });
  expect([beyond.status, beyond.range]).toStrictEqual([416, `bytes */${tar.size}`]);
  const head = await ask({}, 'HEAD');
  expect([head.status, head.response.headers.get('content-length'), head.bytes.length]).toStrictEqual([200, String(tar.size), 0]);
});
