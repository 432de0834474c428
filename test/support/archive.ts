import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';

/** The files of a tar the server sends. */
export async function readTar(url: string): Promise<Map<string, Buffer>> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/x-tar');
  assert.ok(response.body);
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
