// Preference pairs of one's own: from a file to a run that begins with their training.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Lineage, ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { type Dataset, ListDatasetItemsResponse, ListDatasetProblemsResponse } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ListOrphansResponse } from '@stic/api/gen/stic/retention/v1/retention.js';
import { ListPairsResponse, ListSamplesResponse, ListSkippedResponse, Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Schedule } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { readTar } from '../support/archive.js';
import { Product } from '../support/product.js';
import type { Server } from '../support/product.js';
import { ensure } from '../support/expect.js';

type Input = { role: string; dataset_id: string };

const product = new Product();
let server: Server;
let world = '';
let pairs: Dataset;
let others: Record<'images' | 'instructions' | 'benchmark', Input>;
let recipe: unknown;
let whole: Run;

beforeAll(async () => {
  server = await product.start();
  world = await product.world(8, 4, 4);
  writeFileSync(path.join(world, 'pref_data.json'), JSON.stringify(published(readdirSync(`${world}/images`).sort())));
  pairs = await server.dataset('published', DatasetKind.DATASET_KIND_PREFERENCES, `${world}/pref_data.json`);
  const { DATASET_KIND_IMAGES, DATASET_KIND_INSTRUCTIONS, DATASET_KIND_BENCHMARK } = DatasetKind;
  const made = async (role: string, kind: DatasetKind, source: string): Promise<Input> => ({
    role,
    dataset_id: (await server.dataset(role, kind, `${world}/${source}`)).id,
  });
  others = {
    images: await made('images', DATASET_KIND_IMAGES, 'images'),
    instructions: await made('instructions', DATASET_KIND_INSTRUCTIONS, 'instructions/instructions.json'),
    benchmark: await made('benchmark', DATASET_KIND_BENCHMARK, 'benchmarks/world-descriptions'),
  };
  recipe = await server.smallRecipe(({ evaluate }) => evaluate && Object.assign(evaluate, { modes: ['plain'], bootstrapResamples: 200 }));
});
afterAll(() => product.close());

/** Rows as STIC publishes them, one of them without its image. */
function published(images: string[]): object[] {
  return [...images, 'gone.png'].map((name, index) => {
    const question = { role: 'user', content: 'Summarize the visual content presented.' };
    const answer = (content: string): object => ({ role: 'assistant', content });
    return {
      image: `images/${name}`,
      chosen: [question, answer(`a red circle is left of a blue box. number ${index}`)],
      rejected: [question, answer(`a dog and a cat are in the room. number ${index}`)],
    };
  });
}

const own = (): Input => ({ role: 'preferences', dataset_id: pairs.id });

const words = (run: Run): string[] => run.stages.map((stage) => stage.kind.replace('STAGE_KIND_', '').toLowerCase());

async function pairsOf(run: Run): Promise<ListPairsResponse> {
  return ListPairsResponse.fromJSON(await server.get(`/api/runs/${run.id}/pairs?page_size=200`));
}

async function ended(body: object): Promise<Run> {
  const run = await server.ended(Run.fromJSON(await server.post('/api/runs', { recipe, ...body })).id);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  return run;
}

test('a file of pairs is a dataset whose items show image, question and both answers', async () => {
  expect([pairs.latest?.items, pairs.latest?.skipped]).toStrictEqual([8, 1]);
  const { items } = ListDatasetItemsResponse.fromJSON(await server.get(`/api/datasets/${pairs.id}/items`));
  const [first] = items;
  ensure(first);
  expect(first.turns.map(({ from }) => from)).toStrictEqual(['human', 'chosen', 'rejected']);
  expect(first.turns[2]?.text).toBe('a dog and a cat are in the room. number 0');
  for (const sha256 of [first.imageSha256, first.thumbnailSha256]) {
    expect((await fetch(`${server.url}/api/blobs/${sha256}?type=image`)).headers.get('content-type')?.split('/')[0]).toBe('image');
  }
  const { problems } = ListDatasetProblemsResponse.fromJSON(await server.get(`/api/datasets/${pairs.id}/problems`));
  expect(problems.map(({ name, code }) => [name, code])).toStrictEqual([['row 9', 'MISSING_IMAGE']]);
});

test('a run needs images or pairs, one dataset of each, of the right kind', async () => {
  const refused = async (inputs: Input[], message: RegExp): Promise<void> => {
    const answer = await server.call('POST', '/api/runs', { recipe, inputs });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(message);
  };
  await refused([others.benchmark], /needs a dataset of images, from which pairs are made, or a dataset of preferences/);
  await refused([own(), own()], /one dataset of preferences/);
  await refused([{ ...own(), role: 'images' }], /does not hold images/);
  await refused([{ ...others.images, role: 'preferences' }], /does not hold preferences/);
  const both = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [own(), others.images], validate_only: true }));
  expect(words(both)).toStrictEqual(['dpo', 'evaluate']);
  expect(both.warnings).toContainEqual(expect.stringContaining('only serve for sample descriptions'));
});

test('a run on given pairs begins at dpo, goes to the end and is made once for its request', async () => {
  const body = { request_id: randomUUID(), name: 'own pairs', inputs: [own(), others.instructions, others.benchmark] };
  whole = await ended(body);
  expect(words(whole)).toStrictEqual(['dpo', 'describe', 'infuse', 'sft', 'evaluate']);
  expect(Run.fromJSON(await server.post('/api/runs', { recipe, ...body })).id).toBe(whole.id);
  const steps = await product.query<{ count: string }>(`SELECT count(*) FROM metric_point WHERE run_id = $1 AND name = 'dpo/loss'`, [
    whole.id,
  ]);
  expect(steps[0]?.count, '8 pairs in batches of 4').toBe('2');
}, 250_000);

test('its pairs, what was refused of them and where its checkpoints come from are shown', async () => {
  const { pairs: shown, total, counts } = await pairsOf(whole);
  expect([total, counts, shown.length]).toStrictEqual([8, { imported: 8 }, 8]);
  expect([shown[3]?.index, shown[3]?.madeBy, shown[3]?.prompt, shown[3]?.rejectedPrompt, shown[3]?.corruptedImageSha256]).toStrictEqual([
    3,
    'imported',
    'Summarize the visual content presented.',
    '',
    '',
  ]);
  expect((await fetch(`${server.url}/api/blobs/${shown[0]?.imageSha256}?type=image`)).status).toBe(200);
  const { skipped } = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${whole.id}/skipped`));
  expect(skipped.map(({ where, item }) => [where, item?.name])).toStrictEqual([['import', 'row 9']]);
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const stage1 = checkpoints.find((checkpoint) => checkpoint.name === 'stage1');
  const { nodes, edges } = Lineage.fromJSON(await server.get(`/api/checkpoints/${stage1?.id}/lineage`));
  const source = nodes.find((node) => node.type === 'dataset');
  expect([source?.label, source?.facts['role']]).toStrictEqual(['published', 'preferences']);
  const trained = nodes.find((node) => node.type === 'stage');
  ensure(trained);
  expect(trained.label).toBe('dpo');
  expect(edges.some((edge) => edge.from === source?.id && edge.to === trained.id)).toBe(true);
});

test('what it needs is no orphan, and without images it has no samples', async () => {
  product.ageStore(48);
  const { orphans } = ListOrphansResponse.fromJSON(await server.get('/api/retention/orphans'));
  expect(orphans).toStrictEqual([]);
  expect(ListSamplesResponse.fromJSON(await server.get(`/api/runs/${whole.id}/samples`)).samples).toStrictEqual([]);
});

test('a fork keeps the pairs; with images beside them samples are described, and the same training is linked', async () => {
  const fork = Run.fromJSON(await server.post('/api/runs', { forked_from: whole.id, changes: { 'dpo.beta': '0.3' }, validate_only: true }));
  expect([fork.inputs[0]?.role, fork.inputs[0]?.digest]).toStrictEqual(['preferences', whole.inputs[0]?.digest]);
  const run = await ended({ inputs: [own(), others.images] });
  const dpo = run.stages.find((stage) => stage.kind === StageKind.STAGE_KIND_DPO);
  expect(dpo?.linkedFrom?.runId).toBe(whole.id);
  const { samples } = ListSamplesResponse.fromJSON(await server.get(`/api/runs/${run.id}/samples`));
  expect([...new Set(samples.map((sample) => sample.subject))]).toStrictEqual(['base', 'stage1']);
}, 250_000);

test('a run of given pairs that was stopped is retried from dpo, never from prefer', async () => {
  const made = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [own()], reuse_stages: false }));
  await server.post(`/api/runs/${made.id}/cancel`, {});
  await server.ended(made.id);
  const answer = await server.call('POST', `/api/runs/${made.id}/retry`, { from_stage: 'STAGE_KIND_PREFER' });
  expect(JSON.stringify(answer.body)).toMatch(/This run has no such stage; it has dpo, evaluate/);
  await server.post(`/api/runs/${made.id}/retry`, {});
  expect((await server.ended(made.id)).state).toBe(RunState.RUN_STATE_SUCCEEDED);
}, 120_000);

test('a schedule makes runs of given pairs', async () => {
  const spec = { name: 'nightly pairs', cron: '0 3 * * *', zone: 'UTC', recipe, inputs: [{ ...own(), refresh: true }] };
  const { id } = Schedule.fromJSON(await server.post('/api/schedules', { spec }));
  await server.post(`/api/schedules/${id}/trigger`, {});
  const ran = async (): Promise<string | undefined> => {
    const ticks = (await server.get(`/api/schedules/${id}/ticks`)) as { ticks?: { run_id?: string }[] };
    return ticks.ticks?.[0]?.run_id;
  };
  let runId = await ran();
  while (!runId) runId = await ran();
  const run = await server.ended(runId);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  expect(words(run)).toStrictEqual(['dpo', 'evaluate']);
}, 120_000);

for (const [format, file] of [
  ['trl', 'pairs.jsonl'],
  ['llamafactory', 'pairs.json'],
  ['llava', 'pairs.json'],
] as const) {
  test(`what is exported for ${format} is imported as the same pairs`, async () => {
    const folder = path.join(product.folder, `export-${format}`);
    const files = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=${format}`);
    mkdirSync(path.join(folder, 'images'), { recursive: true });
    for (const [name, content] of files) writeFileSync(path.join(folder, name), content);
    const again = await server.dataset(`again ${format}`, DatasetKind.DATASET_KIND_PREFERENCES, path.join(folder, file));
    expect([again.latest?.items, again.latest?.skipped], again.latest?.error).toStrictEqual([8, 0]);
    const run = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [{ ...own(), dataset_id: again.id }] }));
    await server.post(`/api/runs/${run.id}/cancel`, {});
    const content = async (of: Run): Promise<object[]> =>
      (await pairsOf(of)).pairs.map(({ prompt, chosen, rejected, imageSha256 }) => ({ prompt, chosen, rejected, imageSha256 }));
    expect(await content(run)).toStrictEqual(await content(whole));
  });
}
