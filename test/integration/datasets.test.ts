import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  Dataset,
  ListDatasetItemsResponse,
  ListDatasetProblemsResponse,
  ListDatasetsResponse,
  VersionState,
} from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Product, problemOf } from '../support/product.js';
import type { Server } from '../support/product.js';
import { takePhotographs, usable } from '../support/photographs.js';
import { ensure } from '../support/expect.js';

const product = new Product();
const folder = path.join(product.folder, 'photographs');
let server: Server;
let photographs: Dataset;

beforeAll(async () => {
  [server] = await Promise.all([product.start(), takePhotographs(folder)]);
  symlinkSync('/etc/hostname', path.join(folder, 'escapes.png'));
  writeFileSync(path.join(folder, 'drawing.png'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(path.join(folder, 'empty.gif'), '');
  photographs = await server.dataset('photographs', DatasetKind.DATASET_KIND_IMAGES, folder);
});
afterAll(() => product.close());

const create = (body: object): Promise<Dataset> => server.post('/api/datasets', body).then((json) => Dataset.fromJSON(json));
const items = async (id: string, query = ''): Promise<ListDatasetItemsResponse> =>
  ListDatasetItemsResponse.fromJSON(await server.get(`/api/datasets/${id}/items${query}`));
const problems = async (id: string, query = ''): Promise<ListDatasetProblemsResponse> =>
  ListDatasetProblemsResponse.fromJSON(await server.get(`/api/datasets/${id}/problems${query}`));

/** Reads the source again and waits for what came of it, as a watcher sees it. */
async function refreshed(id: string): Promise<Dataset> {
  await server.post(`/api/datasets/${id}/refresh`, {});
  const seen = await watched(id);
  const last = seen.at(-1);
  ensure(last);
  return last;
}

/** All that a watcher is sent until the latest version has come to rest. */
async function watched(id: string): Promise<Dataset[]> {
  const response = await fetch(`${server.url}/api/datasets/${id}/watch`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = await response.text();
  expect(text).toMatch(/event: end\ndata: \{\}\n\n$/);
  return [...text.matchAll(/^event: update\ndata: (.*)$/gm)].map((match) => Dataset.fromJSON(JSON.parse(match[1] ?? '')));
}

test('a folder as cameras and scanners leave it: all that can be used is, the rest is listed with its reason', async () => {
  ensure(photographs.latest);
  expect(photographs.latest.state, photographs.latest.error).toBe(VersionState.VERSION_STATE_READY);
  expect(photographs.latest.items).toBe(usable.length);
  const found = await items(photographs.id);
  expect(found.items.map(({ name }) => name)).toStrictEqual(usable);
  const rotated = found.items.find(({ name }) => name === 'upright again.jpeg');
  expect([rotated?.width, rotated?.height, rotated?.format], 'the size of the upright picture').toStrictEqual([95, 128, 'JPEG']);
  const refused = (await problems(photographs.id)).problems;
  expect(photographs.latest.skipped).toBe(refused.length);
  expect(refused.map(({ name, code }) => `${name} ${code}`).sort()).toStrictEqual([
    'broken off.jpg TRUNCATED',
    'drawing.png NOT_AN_IMAGE',
    'empty.gif EMPTY_FILE',
    'escapes.png PATH_ESCAPES',
  ]);
  for (const { name, reason } of refused) expect(reason.length, `${name}: ${reason}`).toBeGreaterThan(10);
});

test('items and problems come page by page, each once, and a page keeps to its version', async () => {
  const seen: string[] = [];
  let token = '';
  do {
    const page: ListDatasetItemsResponse = await items(photographs.id, `?page_size=5&page_token=${token}`);
    expect(page.items.length).toBeLessThanOrEqual(5);
    seen.push(...page.items.map(({ name }) => name));
    token = page.nextPageToken;
  } while (token !== '');
  expect(seen).toStrictEqual(usable);
  const first = await problems(photographs.id, '?page_size=3');
  const second = await problems(photographs.id, `?page_size=3&page_token=${first.nextPageToken}`);
  expect([first.problems.length, second.problems.length, second.nextPageToken]).toStrictEqual([3, 1, '']);
  const answer = await server.call('GET', `/api/datasets/${photographs.id}/items?page_token=made-up`);
  expect([answer.status, problemOf(answer).field]).toStrictEqual([400, 'page_token']);
});

test('every picture and its thumbnail can be fetched as an image a browser shows', async () => {
  for (const { name, imageSha256, thumbnailSha256, format } of (await items(photographs.id)).items) {
    const thumbnail = await fetch(`${server.url}/api/blobs/${thumbnailSha256}?type=image`);
    expect([thumbnail.status, thumbnail.headers.get('content-type')], name).toStrictEqual([200, 'image/jpeg']);
    const original = await fetch(`${server.url}/api/blobs/${imageSha256}?type=image`);
    expect(original.status, name).toBe(format === 'TIFF' ? 400 : 200);
    await Promise.all([thumbnail.arrayBuffer(), original.arrayBuffer()]);
  }
});

test('an unchanged source gives no new version; a changed one does, and the old one stays as it was', async () => {
  const source = path.join(product.folder, 'album');
  mkdirSync(source);
  copyFileSync(path.join(folder, 'palette.png'), path.join(source, 'a.png'));
  const album = await server.dataset('album', DatasetKind.DATASET_KIND_IMAGES, source);
  const again = await refreshed(album.id);
  expect([again.latest?.id, again.latest?.digest]).toStrictEqual([album.latest?.id, album.latest?.digest]);

  copyFileSync(path.join(folder, 'grey.gif'), path.join(source, 'b.gif'));
  const grown = await refreshed(album.id);
  expect(grown.latest?.id).not.toBe(album.latest?.id);
  expect(grown.latest?.digest).not.toBe(album.latest?.digest);
  ensure(grown.latest);
  expect(grown.latest.items).toBe(2);
  const old = await items(album.id, `?version_id=${album.latest?.id}`);
  expect(old.items.map(({ name }) => name)).toStrictEqual(['a.png']);

  const broken = await server.dataset('same pictures', DatasetKind.DATASET_KIND_IMAGES, source);
  expect(broken.latest?.digest, 'the digest is of the content, not of the dataset').toBe(grown.latest.digest);
});

test('a watcher sees the import from its beginning to its end', async () => {
  const made = await create({ name: 'watched', kind: 'DATASET_KIND_IMAGES', source: folder });
  expect(made.latest?.state).toBe(VersionState.VERSION_STATE_IMPORTING);
  const seen = await watched(made.id);
  expect(seen.at(-1)?.latest?.state).toBe(VersionState.VERSION_STATE_READY);
  expect(seen.at(-1)?.latest?.done).toBe(seen.at(-1)?.latest?.total);
  const response = await server.call('GET', `/api/datasets/${randomUUID()}/watch`);
  expect(response.status).toBe(404);
});

test('a repeated request is answered with the dataset it made; its id for another request is refused', async () => {
  const request = { request_id: randomUUID(), name: 'once', kind: 'DATASET_KIND_IMAGES', source: folder };
  const [first, second] = await Promise.all([create(request), create(request)]);
  expect(first.id).toBe(second.id);
  const other = await server.call('POST', '/api/datasets', { ...request, name: 'twice' });
  expect([other.status, problemOf(other).field]).toStrictEqual([409, 'request_id']);
  const taken = await server.call('POST', '/api/datasets', { ...request, request_id: randomUUID() });
  expect([taken.status, problemOf(taken).field]).toStrictEqual([409, 'name']);
});

test('a list is newest first, whole over its pages, and can be of one kind', async () => {
  const seen: Dataset[] = [];
  let token = '';
  do {
    const page = ListDatasetsResponse.fromJSON(await server.get(`/api/datasets?page_size=2&page_token=${token}`));
    seen.push(...page.datasets);
    token = page.nextPageToken;
  } while (token !== '');
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  const times = seen.map(({ createdAt }) => createdAt?.getTime() ?? 0);
  expect(times).toStrictEqual([...times].sort((a, b) => b - a));
  expect(seen.at(-1)?.name).toBe('photographs');
  const none = ListDatasetsResponse.fromJSON(await server.get('/api/datasets?kind=DATASET_KIND_BENCHMARK'));
  expect(none.datasets).toStrictEqual([]);
});

test('a source that cannot be used fails with its reason, and a new try can mend it', async () => {
  const source = path.join(product.folder, 'later');
  const absent = await server.dataset('later', DatasetKind.DATASET_KIND_IMAGES, source);
  ensure(absent.latest);
  expect(absent.latest.state).toBe(VersionState.VERSION_STATE_FAILED);
  expect(absent.latest.errorCode).toBe('DATA_INVALID');
  expect(absent.latest.error).toMatch(/no such folder/);
  mkdirSync(source);
  const empty = await refreshed(absent.id);
  expect(empty.latest?.error ?? '').toMatch(/there are no images in it/);
  copyFileSync(path.join(folder, 'palette.png'), path.join(source, 'a.png'));
  expect((await refreshed(absent.id)).latest?.state).toBe(VersionState.VERSION_STATE_READY);
});

test('a list chooses the images of a folder, at every refresh as it then is; repeats and equal contents are counted', async () => {
  const source = path.join(product.folder, 'coco', 'train2014');
  mkdirSync(source, { recursive: true });
  const name = (number: number): string => `COCO_train2014_${String(number).padStart(12, '0')}.gif`;
  for (const number of [1, 2, 3]) copyFileSync(path.join(folder, 'grey.gif'), path.join(source, name(number)));
  const elsewhere = path.join(product.folder, 'coco', 'elsewhere.gif');
  copyFileSync(path.join(folder, 'grey.gif'), elsewhere);
  symlinkSync(elsewhere, path.join(source, name(4)));
  const list = path.join(product.folder, '6k_coco_names.json');
  writeFileSync(list, JSON.stringify([name(2), name(1), name(2), name(9)]));

  const kind = DatasetKind.DATASET_KIND_IMAGES;
  const chosen = await server.dataset('6k', kind, source, { image_list: list });
  const { latest } = chosen;
  ensure(latest);
  expect(latest.state, latest.error).toBe(VersionState.VERSION_STATE_READY);
  expect(chosen.imageList).toBe(list);
  expect([latest.items, latest.skipped, latest.duplicates, latest.repeats]).toStrictEqual([2, 1, 1, 1]);
  const names = async (): Promise<string[]> => (await items(chosen.id)).items.map((item) => item.name);
  expect(await names()).toStrictEqual([name(1), name(2)]);
  expect((await problems(chosen.id)).problems.map((problem) => [problem.name, problem.code])).toStrictEqual([[name(9), 'MISSING_IMAGE']]);

  writeFileSync(list, [name(2), name(1), name(1), name(1), name(1)].join('\n'));
  const same = (await refreshed(chosen.id)).latest;
  expect([same?.id, same?.skipped, same?.repeats], 'one content is one version').toStrictEqual([latest.id, 0, 3]);

  writeFileSync(list, [name(3), name(4)].join('\n'));
  const changed = (await refreshed(chosen.id)).latest;
  expect([changed?.items, changed?.skipped, changed?.repeats]).toStrictEqual([1, 1, 0]);
  const [escapes] = (await problems(chosen.id)).problems;
  ensure(escapes);
  expect(escapes.code).toBe('PATH_ESCAPES');
  expect(escapes.reason).toMatch(/STIC_DATA_ROOTS/);
});

test('links lead into the folders that STIC_DATA_ROOTS names', async () => {
  const other = new Product();
  try {
    const linked = await other.start({ STIC_DATA_ROOTS: folder });
    const source = path.join(other.folder, 'links');
    mkdirSync(source);
    symlinkSync(path.join(folder, 'grey.gif'), path.join(source, 'a.gif'));
    symlinkSync('/etc', path.join(source, 'etc'));
    const dataset = await linked.dataset('links', DatasetKind.DATASET_KIND_IMAGES, source);
    expect([dataset.latest?.items, dataset.latest?.skipped], dataset.latest?.error).toStrictEqual([1, 1]);
  } finally {
    await other.close();
  }
});

test('instructions keep their rows with and without images; a row whose image is missing is listed', async () => {
  const say = (question: string): object[] => [
    { from: 'human', value: question },
    { from: 'gpt', value: 'An answer.' },
  ];
  const rows = [
    { id: 'seen', image: 'grey.gif', conversations: say('<image>\nWhat is it?') },
    { id: 'told', conversations: say('What is two and two?') },
    { id: 'lost', image: 'nowhere.jpg', conversations: say('<image>\nWhere is it?') },
    { id: 'out', image: '../later/a.png', conversations: say('<image>\nWhose is it?') },
    { id: 'seen', conversations: say('Again?') },
    { id: 'mute' },
  ];
  const source = path.join(folder, 'rows.json');
  writeFileSync(source, JSON.stringify(rows));
  const dataset = await server.dataset('rows', DatasetKind.DATASET_KIND_INSTRUCTIONS, source);
  ensure(dataset.latest);
  expect(dataset.latest.state, dataset.latest.error).toBe(VersionState.VERSION_STATE_READY);
  const kept = (await items(dataset.id)).items;
  expect(kept.map(({ name, imageSha256, turns }) => [name, imageSha256 !== '', turns[0]?.text])).toStrictEqual([
    ['seen', true, '<image>\nWhat is it?'],
    ['told', false, 'What is two and two?'],
    ['seen#2', false, 'Again?'],
  ]);
  const refused = (await problems(dataset.id)).problems.map(({ name, code }) => `${name} ${code}`);
  expect(refused).toStrictEqual(['nowhere.jpg MISSING_IMAGE', '../later/a.png PATH_ESCAPES', 'row 6 ROW_INVALID']);

  writeFileSync(source, '[{"id": "cut off", "conversa');
  const cut = await refreshed(dataset.id);
  ensure(cut.latest);
  expect(cut.latest.state).toBe(VersionState.VERSION_STATE_FAILED);
  expect(cut.latest.error).toContain('rows.json');
  const version = dataset.latest.id;
  expect((await items(dataset.id, `?version_id=${version}`)).items, 'the version before is untouched').toHaveLength(3);
});
