// Preference pairs of one's own: from a file to a run that begins with their training.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
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

type Input = { role: string; dataset_id: string };

const product = new Product();
let server: Server;
let world = '';
let pairs: Dataset;
let others: Record<'images' | 'instructions' | 'benchmark', Input>;
let recipe: unknown;
let whole: Run;

before(async () => {
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
after(() => product.close());

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
  assert.equal(run.state, RunState.RUN_STATE_SUCCEEDED, JSON.stringify(run.error));
  return run;
}

test('a file of pairs is a dataset whose items show image, question and both answers', async () => {
  assert.deepEqual([pairs.latest?.items, pairs.latest?.skipped], [8, 1]);
  const { items } = ListDatasetItemsResponse.fromJSON(await server.get(`/api/datasets/${pairs.id}/items`));
  const [first] = items;
  assert.deepEqual(
    first?.turns.map(({ from }) => from),
    ['human', 'chosen', 'rejected'],
  );
  assert.equal(first.turns[2]?.text, 'a dog and a cat are in the room. number 0');
  for (const sha256 of [first.imageSha256, first.thumbnailSha256]) {
    assert.equal((await fetch(`${server.url}/api/blobs/${sha256}?type=image`)).headers.get('content-type')?.split('/')[0], 'image');
  }
  const { problems } = ListDatasetProblemsResponse.fromJSON(await server.get(`/api/datasets/${pairs.id}/problems`));
  assert.deepEqual(
    problems.map(({ name, code }) => [name, code]),
    [['row 9', 'MISSING_IMAGE']],
  );
});

test('a run needs images or pairs, one dataset of each, of the right kind', async () => {
  const refused = async (inputs: Input[], message: RegExp): Promise<void> => {
    const answer = await server.call('POST', '/api/runs', { recipe, inputs });
    assert.equal(answer.status, 400);
    assert.match(JSON.stringify(answer.body), message);
  };
  await refused([others.benchmark], /needs a dataset of images, from which pairs are made, or a dataset of preferences/);
  await refused([own(), own()], /one dataset of preferences/);
  await refused([{ ...own(), role: 'images' }], /does not hold images/);
  await refused([{ ...others.images, role: 'preferences' }], /does not hold preferences/);
  const both = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [own(), others.images], validate_only: true }));
  assert.deepEqual(words(both), ['dpo', 'evaluate']);
  assert.ok(both.warnings.some((warning) => warning.includes('only serve for sample descriptions')));
});

test('a run on given pairs begins at dpo, goes to the end and is made once for its request', { timeout: 250_000 }, async () => {
  const body = { request_id: randomUUID(), name: 'own pairs', inputs: [own(), others.instructions, others.benchmark] };
  whole = await ended(body);
  assert.deepEqual(words(whole), ['dpo', 'describe', 'infuse', 'sft', 'evaluate']);
  assert.equal(Run.fromJSON(await server.post('/api/runs', { recipe, ...body })).id, whole.id);
  const steps = await product.query<{ count: string }>(`SELECT count(*) FROM metric_point WHERE run_id = $1 AND name = 'dpo/loss'`, [
    whole.id,
  ]);
  assert.equal(steps[0]?.count, '2', '8 pairs in batches of 4');
});

test('its pairs, what was refused of them and where its checkpoints come from are shown', async () => {
  const { pairs: shown, total, counts } = await pairsOf(whole);
  assert.deepEqual([total, counts, shown.length], [8, { imported: 8 }, 8]);
  assert.deepEqual(
    [shown[3]?.index, shown[3]?.madeBy, shown[3]?.prompt, shown[3]?.rejectedPrompt, shown[3]?.corruptedImageSha256],
    [3, 'imported', 'Summarize the visual content presented.', '', ''],
  );
  assert.equal((await fetch(`${server.url}/api/blobs/${shown[0]?.imageSha256}?type=image`)).status, 200);
  const { skipped } = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${whole.id}/skipped`));
  assert.deepEqual(
    skipped.map(({ where, item }) => [where, item?.name]),
    [['import', 'row 9']],
  );
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const stage1 = checkpoints.find((checkpoint) => checkpoint.name === 'stage1');
  const { nodes, edges } = Lineage.fromJSON(await server.get(`/api/checkpoints/${stage1?.id}/lineage`));
  const source = nodes.find((node) => node.type === 'dataset');
  assert.deepEqual([source?.label, source?.facts['role']], ['published', 'preferences']);
  const trained = nodes.find((node) => node.type === 'stage');
  assert.equal(trained?.label, 'dpo');
  assert.ok(edges.some((edge) => edge.from === source?.id && edge.to === trained.id));
});

test('what it needs is no orphan, and without images it has no samples', async () => {
  product.ageStore(48);
  const { orphans } = ListOrphansResponse.fromJSON(await server.get('/api/retention/orphans'));
  assert.deepEqual(orphans, []);
  assert.deepEqual(ListSamplesResponse.fromJSON(await server.get(`/api/runs/${whole.id}/samples`)).samples, []);
});

test(
  'a fork keeps the pairs; with images beside them samples are described, and the same training is linked',
  { timeout: 250_000 },
  async () => {
    const fork = Run.fromJSON(
      await server.post('/api/runs', { forked_from: whole.id, changes: { 'dpo.beta': '0.3' }, validate_only: true }),
    );
    assert.deepEqual([fork.inputs[0]?.role, fork.inputs[0]?.digest], ['preferences', whole.inputs[0]?.digest]);
    const run = await ended({ inputs: [own(), others.images] });
    const dpo = run.stages.find((stage) => stage.kind === StageKind.STAGE_KIND_DPO);
    assert.equal(dpo?.linkedFrom?.runId, whole.id);
    const { samples } = ListSamplesResponse.fromJSON(await server.get(`/api/runs/${run.id}/samples`));
    assert.deepEqual([...new Set(samples.map((sample) => sample.subject))], ['base', 'stage1']);
  },
);

test('a run of given pairs that was stopped is retried from dpo, never from prefer', { timeout: 120_000 }, async () => {
  const made = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [own()], reuse_stages: false }));
  await server.post(`/api/runs/${made.id}/cancel`, {});
  await server.ended(made.id);
  const answer = await server.call('POST', `/api/runs/${made.id}/retry`, { from_stage: 'STAGE_KIND_PREFER' });
  assert.match(JSON.stringify(answer.body), /This run has no such stage; it has dpo, evaluate/);
  await server.post(`/api/runs/${made.id}/retry`, {});
  assert.equal((await server.ended(made.id)).state, RunState.RUN_STATE_SUCCEEDED);
});

test('a schedule makes runs of given pairs', { timeout: 120_000 }, async () => {
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
  assert.equal(run.state, RunState.RUN_STATE_SUCCEEDED, JSON.stringify(run.error));
  assert.deepEqual(words(run), ['dpo', 'evaluate']);
});

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
    assert.deepEqual([again.latest?.items, again.latest?.skipped], [8, 0], again.latest?.error);
    const run = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [{ ...own(), dataset_id: again.id }] }));
    await server.post(`/api/runs/${run.id}/cancel`, {});
    const content = async (of: Run): Promise<object[]> =>
      (await pairsOf(of)).pairs.map(({ prompt, chosen, rejected, imageSha256 }) => ({ prompt, chosen, rejected, imageSha256 }));
    assert.deepEqual(await content(run), await content(whole));
  });
}
