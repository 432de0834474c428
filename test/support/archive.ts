import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { ensure } from './expect.js';

/** The files of a tar the server sends. */
export async function readTar(url: string): Promise<Map<string, Buffer>> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/x-tar');
  ensure(response.body);
  const files = new Map<string, Buffer>();
  const entries = extract();
  Readable.fromWeb(response.body).pipe(entries);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}
