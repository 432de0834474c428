import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import type { Problem } from '@stic/api/http.js';
import { Product, Server, until } from '../support/product.js';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const product = new Product();
let server: Server;
let store: ArtifactStore;

before(async () => {
  server = await product.start();
  store = await ArtifactStore.open(path.join(product.state, 'store'));
});
after(() => product.close());

type Answer = { status: number; headers: http.IncomingHttpHeaders; text: string };

/** A request exactly as written: fetch would tidy up its path and its headers. */
async function raw(method: string, target: string, headers: http.OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  const request = http.request({ hostname, port, method, path: target, headers });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

const errorOf = ({ text }: Answer): Problem => JSON.parse(text) as Problem;
const asJson = { 'content-type': 'application/json' };

test('a request that is not valid is refused with code, field, reason and what to do', async () => {
  const create = (body: object): Promise<Answer> => raw('POST', '/api/datasets', asJson, JSON.stringify(body));
  const images = { name: 'n', kind: 'DATASET_KIND_IMAGES', source: '/tmp' };
  const cases: [object, string, RegExp][] = [
    [{ ...images, name: ' ' }, 'name', /name is missing/],
    [{ ...images, kind: undefined }, 'kind', /kind is missing/],
    [{ ...images, kind: 'DATASET_KIND_FILMS' }, 'kind', /must be one of DATASET_KIND_IMAGES/],
    [{ ...images, source: 'photos' }, 'source', /must be an absolute path/],
    [{ ...images, image_root: '/tmp' }, 'image_root', /belongs to instructions/],
    [{ ...images, kind: 'DATASET_KIND_BENCHMARK', image_list: '/tmp/list.json' }, 'image_list', /belongs to images/],
    [{ ...images, image_list: 'list.json' }, 'image_list', /must be an absolute path/],
    [{ ...images, colour: 'red' }, 'colour', /is not a field here/],
  ];
  for (const [body, field, message] of cases) {
    const answer = await create(body);
    const error = errorOf(answer);
    assert.deepEqual([answer.status, error.code, error.field], [400, 'INVALID_ARGUMENT', field]);
    assert.match(error.detail, message);
  }
  assert.match(errorOf(await create({ ...images, colour: 'red' })).detail, /Fields are: .*image_root/);
  assert.equal(errorOf(await raw('GET', '/api/datasets?page_size=-1')).field, 'page_size');
  assert.equal(errorOf(await raw('GET', '/api/datasets/not-an-id')).field, 'dataset_id');
  assert.equal((await raw('GET', `/api/runs/${randomUUID()}`)).status, 404);
});

test('a body that is no JSON, is none at all or is too large is refused before anything is done', async () => {
  const cut = await raw('POST', '/api/datasets', asJson, '{"name":');
  assert.deepEqual([cut.status, errorOf(cut).code], [400, 'INVALID_ARGUMENT']);
  const form = await raw('POST', '/api/datasets', { 'content-type': 'text/plain' }, '{}');
  assert.match(errorOf(form).detail, /Send JSON/);
  const large = await raw('POST', '/api/datasets', asJson, JSON.stringify({ name: 'x'.repeat(1_100_000) }));
  assert.deepEqual([large.status, errorOf(large).code], [413, 'RESOURCE_EXHAUSTED']);
  assert.deepEqual(await server.get('/api/datasets'), {});
});

test('pages of other sites and foreign names for this machine are turned away', async () => {
  const { host } = new URL(server.url);
  const body = JSON.stringify({ name: 'n', kind: 'DATASET_KIND_IMAGES', source: '/tmp' });
  for (const origin of ['http://evil.example', 'null', `http://${host}.evil.example`]) {
    const answer = await raw('POST', '/api/datasets', { ...asJson, origin }, body);
    assert.deepEqual([answer.status, errorOf(answer).code], [403, 'PERMISSION_DENIED'], origin);
  }
  const rebound = await raw('GET', '/api/runs', { host: 'evil.example' });
  assert.equal(rebound.status, 403);
  assert.equal((await raw('GET', '/api/runs', { origin: `http://${host}` })).status, 200);
  const { headers } = await raw('GET', '/api/runs');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(String(headers['content-security-policy']), /default-src 'self'/);
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['x-powered-by'], undefined);
});

test('a blob is sent for ever, as an image only when it is one, and else as a file to save', async () => {
  const picture = await store.putBlob(PNG);
  const shown = await raw('GET', `/api/blobs/${picture}?type=image`);
  assert.deepEqual([shown.status, shown.headers['content-type']], [200, 'image/png']);
  assert.match(shown.headers['cache-control'] ?? '', /max-age=31536000, immutable/);
  const etag = shown.headers.etag ?? '';
  assert.equal((await raw('GET', `/api/blobs/${picture}?type=image`, { 'if-none-match': etag })).status, 304);

  const script = await store.putBlob('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  assert.equal((await raw('GET', `/api/blobs/${script}?type=image`)).status, 400);
  const saved = await raw('GET', `/api/blobs/${script}`);
  assert.equal(saved.headers['content-type'], 'application/octet-stream');
  assert.match(saved.headers['content-disposition'] ?? '', /^attachment/);
  assert.equal(createHash('sha256').update(saved.text).digest('hex'), script);
  assert.equal(errorOf(await raw('GET', `/api/blobs/${script}?type=page`)).field, 'type');
});

test('no address leads out of the store or out of the console', async () => {
  assert.equal((await raw('GET', `/api/blobs/${'0'.repeat(64)}`)).status, 404);
  for (const name of ['..%2Fid', '..%2F..%2Fpostgres.json', '%2Fetc%2Fpasswd', 'A'.repeat(64), '..%00']) {
    const answer = await raw('GET', `/api/blobs/${name}`);
    assert.deepEqual([answer.status, errorOf(answer).field], [400, 'sha256'], name);
  }
  for (const target of ['/../../package.json', '/..%2f..%2fpackage.json', '/assets/..%2f..%2f..%2fpackage.json', '//etc/passwd']) {
    const { text } = await raw('GET', target);
    assert.ok(!text.includes('stic-control-plane') && !text.includes('root:'), target);
  }
});

test('each address of the console is its page, always asked for again; what is under /api never is', async () => {
  const routes = readFileSync(path.join(repositoryRoot(), 'console/src/routes.tsx'), 'utf8');
  const pages = [...routes.matchAll(/^ {6}\{ path: '(\w+)'/gm)].map(([, page = '']) => `/${page}`);
  assert.ok(pages.length >= 7);
  for (const target of ['/', ...pages, `/runs/${randomUUID()}`, '/datasets/new']) {
    const { status, headers, text } = await raw('GET', target);
    assert.equal(status, 200, target);
    assert.match(headers['content-type'] ?? '', /text\/html/);
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(text, /<div id="root">/);
  }
  const [script = ''] = /\/assets\/[^"]+\.js/.exec((await raw('GET', '/')).text) ?? [];
  assert.match((await raw('GET', script)).headers['cache-control'] ?? '', /immutable/);
  for (const target of ['/api', '/api/nothing', '/assets/nothing.js', '/metrics', '/docs', '/runs2']) {
    const answer = await raw('GET', target);
    assert.deepEqual([answer.status, errorOf(answer).code], [404, 'NOT_FOUND'], target);
  }
  const missing = await raw('GET', '/docs', { accept: 'text/html' });
  assert.equal(missing.status, 404);
  assert.match(missing.text, /<div id="root">/);
  assert.equal((await raw('POST', '/runs', asJson, '{}')).status, 404);
});

test('a stream of changes of what is not there is refused before it starts', async () => {
  const refused = await raw('GET', '/api/runs/not-an-id/watch');
  assert.deepEqual([refused.status, errorOf(refused).field], [400, 'run_id']);
  assert.equal((await raw('GET', `/api/runs/${randomUUID()}/watch`)).status, 404);
});

test('the server says that it lives and is ready', async () => {
  assert.deepEqual(await server.get('/api/health'), { live: true, ready: true });
});

test('the password of the database is in no log, no answer and no other process', async () => {
  const { password } = new URL(product.databaseUrl);
  const second = await Server.start({ STIC_STATE: path.join(product.folder, 'second'), DATABASE_URL: product.databaseUrl });
  try {
    assert.equal((await second.call('GET', '/api/datasets/not-an-id')).status, 400);
    const file = path.join(product.folder, 'second/trainer.json');
    await until(
      () => Promise.resolve(existsSync(file)),
      (found) => found,
    );
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
    if (process.platform === 'linux') assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(password));
  } finally {
    await second.stop();
  }
  for (const state of [product.state, path.join(product.folder, 'second')]) {
    const logs = path.join(state, 'logs');
    for (const name of readdirSync(logs)) assert.ok(!readFileSync(path.join(logs, name), 'utf8').includes(password), name);
  }
});

test('a server that cannot start says why, and not with which password', async () => {
  const environment = { STIC_STATE: path.join(product.folder, 'third') };
  await assert.rejects(Server.start({ ...environment, DATABASE_URL: 'postgres://stic:very-secret@127.0.0.1:1/stic' }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /Cannot reach Postgres at 127\.0\.0\.1:1\/stic/);
    assert.match(error.message, /hint: /);
    assert.ok(!error.message.includes('very-secret'));
    return true;
  });
  await assert.rejects(Server.start({ STIC_STATE: product.state }), /Another server \(process \d+\) already runs on the state folder/);
  const { port } = new URL(server.url);
  const taken = { ...environment, DATABASE_URL: product.databaseUrl, TRAINERS: '127.0.0.1:1', STIC_HTTP_PORT: port };
  await assert.rejects(Server.start(taken), /another program uses the port/);
});
