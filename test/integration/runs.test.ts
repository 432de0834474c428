import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Lineage, ListCheckpointsResponse, MergedExport, MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Comparison, ListEvaluationsResponse } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import {
  ListLogsResponse,
  ListMetricsResponse,
  ListPairsResponse,
  ListRunsResponse,
  ListSamplesResponse,
  ListSkippedResponse,
  Run,
  RunState,
  StageState,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { isWorking } from '../support/checks.js';
import { Product, until, problemOf } from '../support/product.js';
import type { Server } from '../support/product.js';
import { readTar } from '../support/archive.js';
import { ensure } from '../support/expect.js';

const product = new Product();
let server: Server;
let images = '';
let spoiled = '';
let whole: Run;
/** The SSE stream of the whole run, read from its start to its end. */
let watched: Promise<Run[]>;
let inputs: { role: string; dataset_id: string }[] = [];
let recipe: unknown;

beforeAll(async () => {
  server = await product.start();
  const world = await product.world(8, 4, 4);
  images = (await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`)).id;
  const instructions = await server.dataset(
    'instructions',
    DatasetKind.DATASET_KIND_INSTRUCTIONS,
    `${world}/instructions/instructions.json`,
  );
  const benchmark = await server.dataset('descriptions', DatasetKind.DATASET_KIND_BENCHMARK, `${world}/benchmarks/world-descriptions`);
  spoiled = (await server.dataset('spoiled', DatasetKind.DATASET_KIND_IMAGES, spoil(`${world}/images`))).id;
  inputs = [
    { role: 'images', dataset_id: images },
    { role: 'instructions', dataset_id: instructions.id },
    { role: 'benchmark', dataset_id: benchmark.id },
  ];
  recipe = await server.smallRecipe();
});
afterAll(() => product.close());

/** Four pictures and two that are none. */
function spoil(from: string): string {
  const folder = path.join(product.folder, 'spoiled');
  mkdirSync(folder);
  for (const name of readdirSync(from).slice(0, 4)) copyFileSync(path.join(from, name), path.join(folder, name));
  writeFileSync(path.join(folder, 'empty.png'), '');
  writeFileSync(path.join(folder, 'letter.jpg'), 'Dear trainer');
  return folder;
}

async function readEvents(url: string): Promise<Run[]> {
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = await response.text();
  return [...text.matchAll(/^event: update\ndata: (.*)$/gm)].map((match) => Run.fromJSON(JSON.parse(match[1] ?? '')));
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('validate_only says what the run would be and stores nothing', async () => {
  const preview = Run.fromJSON(await server.post('/api/runs', { recipe, inputs, validate_only: true }));
  expect(preview.stages).toHaveLength(6);
  expect(preview.recipe?.model?.digest ?? '').toMatch(/^[0-9a-f]{64}$/);
  expect(preview.recipe?.model?.templateHash ?? '').toMatch(/^[0-9a-f]{64}$/);
  expect(preview.differences.map((difference) => difference.field)).toContain('dpo.optimizer.learning_rate');
  expect(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs).toStrictEqual([]);
});

test('validate_only says image tokens, row lengths, memory and refused shares; a run that cannot succeed is refused before it is queued', async () => {
  const asked = { recipe, inputs: [{ role: 'images', dataset_id: spoiled }] };
  const preview = Run.fromJSON(await server.post('/api/runs', { ...asked, validate_only: true })).preflight;
  ensure(preview?.estimate, preview?.unavailable);
  const [images] = preview.estimate.inputs;
  ensure(images);
  expect(images.items).toBe(4);
  expect(images.sampled).toBe(4);
  expect(images.imageTokens?.min).toBe(9);
  expect(preview.estimate.stages.map(({ kind }) => kind)).toStrictEqual([StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]);
  expect(
    preview.estimate.stages.filter(({ memoryBytes, memory }) => !(memoryBytes === memory.reduce((sum, { bytes }) => sum + bytes, 0n))),
  ).toStrictEqual([]);
  const [share] = preview.refused;
  expect([share?.refused, share?.items, share?.field]).toStrictEqual([2, 4, 'prefer.max_skipped_fraction']);

  const strict = { ...asked, recipe: await server.smallRecipe(({ prefer }) => prefer && (prefer.maxSkippedFraction = 0.05)) };
  const refused = await server.call('POST', '/api/runs', strict);
  const error = problemOf(refused);
  expect(error.field).toBe('prefer.max_skipped_fraction');
  expect(error.hint ?? '').toMatch(/--set prefer\.max_skipped_fraction=0\.34/);
  const short = await server.smallRecipe((changed) => {
    if (changed.prefer) changed.prefer.maxSkippedFraction = 0.34;
    if (changed.dpo) changed.dpo.maxLength = 16;
  });
  const long = Run.fromJSON(await server.post('/api/runs', { ...asked, recipe: short, validate_only: true })).preflight?.obstacles ?? [];
  expect(long.map(({ field }) => field)).toStrictEqual(['dpo.max_length']);
  expect(long[0]?.message ?? '').toMatch(/All 4 rows of stage dpo are too long/);
  expect(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs).toStrictEqual([]);
});

test('a request that cannot become a run is refused with the field and the reason', async () => {
  const refused = async (body: object, status: number, field: string, message: RegExp): Promise<void> => {
    const answer = await server.call('POST', '/api/runs', { recipe, inputs, ...body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    const error = problemOf(answer);
    expect(error.field).toBe(field);
    expect(error.detail).toMatch(message);
  };
  await refused({ inputs: [] }, 400, 'inputs', /needs a dataset of images/);
  await refused(
    { inputs: [{ role: 'pictures', dataset_id: images }] },
    400,
    'inputs[0].role',
    /must be one of images, instructions, benchmark/,
  );
  await refused({ inputs: [{ role: 'images', dataset_id: inputs[1]?.dataset_id }] }, 400, 'inputs[0].dataset_id', /does not hold images/);
  await refused({ inputs: [{ role: 'images', dataset_id: randomUUID() }] }, 404, 'inputs[0].dataset_id', /no dataset/);
  await refused({ priority: 1001 }, 400, 'priority', /must be at least -1000 and at most 1000/);
  await refused({ priority: 1.5 }, 400, 'priority', /must be a whole number/);
  await refused({ requires: { labels: { 'a tag': '1' } } }, 400, 'requires.labels', /cannot be a label's key/);
  await refused({ requires: { gpu_memory_gib: -1 } }, 400, 'requires.gpu_memory_gib', /must be (from|at least) 0/);
  await refused({ forked_from: randomUUID() }, 404, 'forked_from', /no run/);
  await refused({ recipe: await server.smallRecipe(({ dpo }) => dpo && (dpo.beta = -1)) }, 400, 'dpo.beta', /is -1; it must be/);
  await refused(
    { recipe: await server.smallRecipe(({ model }) => model && (model.path = product.folder)) },
    400,
    'model.path',
    /config\.json|model/i,
  );
  await refused({ recipe: await server.smallRecipe(({ model }) => model && (model.path = '')) }, 400, 'model.path', /is ""; it must be/);
  expect(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs).toStrictEqual([]);
});

test('a model that lacks a tensor is refused by its name before anything is queued', async () => {
  const broken = path.join(product.folder, 'broken-model');
  cpSync(path.join(repositoryRoot(), 'trainer-py/stic_trainer/world/model'), broken, { recursive: true });
  const weights = path.join(broken, 'model.safetensors');
  // In the header only, at the same length: the model's own name for the tensor is gone.
  const bytes = readFileSync(weights).toString('latin1').replaceAll('layers.1.mlp.up_proj.weight', 'layers.1.mlp.up_prog.weight');
  writeFileSync(weights, bytes, 'latin1');
  const before = ListRunsResponse.fromJSON(await server.get('/api/runs')).runs.length;
  const other = await server.smallRecipe(({ model }) => model && (model.path = broken));
  for (const validate_only of [true, false]) {
    const answer = await server.call('POST', '/api/runs', { recipe: other, inputs, validate_only });
    const error = problemOf(answer);
    expect(answer.status).toBe(400);
    expect(error.field).toBe('model.path');
    expect(error.detail).toMatch(/1 tensor that the model needs is missing: model\.language_model\.layers\.1\.mlp\.up_proj\.weight/);
  }
  expect(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs).toHaveLength(before);
});

test('the same request_id makes one run, also when it is sent twice at once', async () => {
  const body = { request_id: randomUUID(), name: 'whole', recipe, inputs };
  const [first, second] = (await Promise.all([server.post('/api/runs', body), server.post('/api/runs', body)])).map((json) =>
    Run.fromJSON(json),
  );
  ensure(first);
  ensure(second);
  expect(first.id).toBe(second.id);
  whole = first;
  watched = readEvents(`${server.url}/api/runs/${whole.id}/watch`);
  expect(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs).toHaveLength(1);
});

test('a run behind another waits in the queue and is cancelled there at once', async () => {
  await server.runWhen(whole.id, (run) => run.state === RunState.RUN_STATE_RUNNING);
  const waiting = Run.fromJSON(await server.post('/api/runs', { name: 'waiting', recipe, inputs }));
  expect(waiting.state).toBe(RunState.RUN_STATE_QUEUED);
  expect(waiting.queuePosition).toBe(1);
  const cancelled = Run.fromJSON(await server.post(`/api/runs/${waiting.id}/cancel`, {}));
  expect(cancelled.state).toBe(RunState.RUN_STATE_CANCELLED);
  expect(cancelled.stages.flatMap((stage) => stage.attempts)).toStrictEqual([]);
  expect(Run.fromJSON(await server.post(`/api/runs/${waiting.id}/cancel`, {})).state).toBe(RunState.RUN_STATE_CANCELLED);
}, 120_000);

test('the whole recipe runs, stage after stage, and a watcher sees it from start to end', async () => {
  const run = await server.ended(whole.id);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  expect(run.stages.map((stage) => stage.state)).toStrictEqual(Array<StageState>(6).fill(StageState.STAGE_STATE_SUCCEEDED));
  for (const stage of run.stages) {
    expect(stage.attempts).toHaveLength(1);
    // Infusing descriptions is text only.
    if (stage.kind !== StageKind.STAGE_KIND_INFUSE) expect(stage.attempts[0]?.device).not.toBe('');
  }
  for (const [index, stage] of run.stages.slice(1).entries())
    expect((stage.startedAt ?? 0) >= (run.stages[index]?.endedAt ?? 0), 'one after the other').toBe(true);

  const seen = await watched;
  expect(seen.at(-1)?.state).toBe(RunState.RUN_STATE_SUCCEEDED);
  expect(seen.length).toBeGreaterThan(10);
  const order = [RunState.RUN_STATE_QUEUED, RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_SUCCEEDED];
  const states = seen.map((one) => order.indexOf(one.state));
  expect(states, 'the run never goes back').toStrictEqual([...states].sort());
}, 300_000);

test('what the run has made can be read page by page', async () => {
  const at = `/api/runs/${whole.id}`;
  const metrics: string[] = [];
  let more = true;
  for (let cursor = ''; more;) {
    const page = ListMetricsResponse.fromJSON(await server.get(`${at}/metrics?page_size=3&cursor=${cursor}`));
    metrics.push(...page.metrics.map((metric) => `${metric.point?.name} ${metric.point?.step}`));
    ({ nextCursor: cursor, more } = page);
  }
  expect(new Set(metrics).size, 'each point once').toBe(metrics.length);
  for (const name of ['dpo/loss', 'rewards/margins', 'rewards/accuracies', 'logps/chosen', 'sft/loss'])
    expect(metrics, name).toContain(`${name} 1`);

  const all = ListPairsResponse.fromJSON(await server.get(`${at}/pairs`));
  expect(all.total).toBe(all.pairs.length);
  expect(Object.values(all.counts).reduce((sum, count) => sum + count, 0)).toBe(all.total);
  const kinds = Object.keys(all.counts);
  for (const kind of kinds) {
    const some = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?made_by=${kind}`));
    expect(some.pairs.length).toBe(all.counts[kind]);
    expect(some.pairs.filter((pair) => !(pair.madeBy === kind))).toStrictEqual([]);
  }
  const first = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?page_size=2`));
  const second = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?page_size=2&page_token=${first.nextPageToken}`));
  expect([...first.pairs, ...second.pairs]).toStrictEqual(all.pairs.slice(0, 4));

  expect(ListLogsResponse.fromJSON(await server.get(`${at}/logs`)).logs.length).toBeGreaterThan(0);
  const { samples } = ListSamplesResponse.fromJSON(await server.get(`${at}/samples`));
  expect([...new Set(samples.map((sample) => sample.subject))].sort()).toStrictEqual(['base', 'stage1', 'stage2']);
});

test('the comparison has every cell and says in words what it means', async () => {
  const { scores, findings } = Comparison.fromJSON(await server.get(`/api/runs/${whole.id}/comparison`));
  const cells = scores.filter((score) => score.primary).map((score) => `${score.subject} ${score.mode}`);
  expect([...cells].sort()).toStrictEqual(['base dar', 'base plain', 'stage1 dar', 'stage1 plain', 'stage2 dar', 'stage2 plain']);
  expect(findings[0] ?? '').toMatch(/^Stage 1 (helped|did not help)/);
  const { evaluations } = ListEvaluationsResponse.fromJSON(await server.get(`/api/evaluations?run_id=${whole.id}`));
  expect(evaluations).toHaveLength(scores.length);
  for (const { checkpointId, score } of evaluations) expect(checkpointId === '').toBe(score?.subject === 'base');
});

test('checkpoints carry their base and parent, and lead back to images, prompts, seed and model', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const [stage2, stage1] = checkpoints;
  expect([stage1?.name, stage2?.name]).toStrictEqual(['stage1', 'stage2']);
  expect(stage2?.parentId).toBe(stage1?.id);
  expect(stage1?.baseModelDigest).toBe(whole.recipe?.model?.digest);
  const files = await readTar(`${server.url}/api/checkpoints/${stage2?.id}/files`);
  expect(files.has('adapter_config.json'), [...files.keys()].join()).toBe(true);
  expect(files.has('adapter_model.safetensors'), [...files.keys()].join()).toBe(true);
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).sort();
  const byPath = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  expect(
    [lines, byPath].map((sorted) => sha256(Buffer.from(sorted.join('')))),
    'the archive is the tree of that digest',
  ).toContain(stage2?.adapterSha256);

  const { nodes, edges } = Lineage.fromJSON(await server.get(`/api/checkpoints/${stage2?.id}/lineage`));
  const labels = (type: string): string[] => nodes.filter((node) => node.type === type).map((node) => node.label);
  expect(labels('dataset').sort()).toStrictEqual(['images', 'instructions']);
  expect(labels('stage').sort()).toStrictEqual(['describe', 'dpo', 'infuse', 'prefer', 'sft']);
  expect(labels('checkpoint').sort()).toStrictEqual(['stage1', 'stage2']);
  expect(nodes.find((node) => node.type === 'recipe')?.facts['seed']).toBe('42');
  const reached = new Set([stage2?.id]);
  for (let round = 0; round < nodes.length; round++) for (const edge of edges) if (reached.has(edge.to)) reached.add(edge.from);
  expect(reached.size, 'every node leads to the checkpoint').toBe(nodes.length);
});

test('a checkpoint is merged into its base model once, in the background, and downloaded as a folder that says what it is', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const stage2 = checkpoints[0];
  ensure(stage2);
  const at = `/api/checkpoints/${stage2.id}`;
  expect((await fetch(`${server.url}${at}/merge`)).status, 'none was started').toBe(404);
  const started = MergedExport.fromJSON(await server.post(`${at}/merge`, {}));
  expect(started.state).toBe(MergedState.MERGED_STATE_RUNNING);
  expect((await fetch(`${server.url}${at}/files?merged=true`)).status, 'not there yet').toBe(400);
  const ready = await until(
    async () => MergedExport.fromJSON(await server.get(`${at}/merge`)),
    ({ state }) => state !== MergedState.MERGED_STATE_RUNNING,
  );
  expect(ready.state, ready.error).toBe(MergedState.MERGED_STATE_READY);
  expect(ready.effect, JSON.stringify(MergedExport.toJSON(ready))).toBeGreaterThan(ready.largestDifference);
  expect(ready.storedDtype, JSON.stringify(MergedExport.toJSON(ready))).toBe('float32');
  expect(MergedExport.fromJSON(await server.post(`${at}/merge`, {})), 'asked again, it is the same').toStrictEqual(ready);

  const files = await readTar(`${server.url}${at}/files?merged=true`);
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) expect(files.has(name), [...files.keys()].join()).toBe(true);
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).sort();
  expect(sha256(Buffer.from(lines.join('')))).toBe(ready.sha256);
  const card = files.get('README.md')?.toString() ?? '';
  for (const fact of [whole.id, whole.recipeDigest, stage2.adapterSha256, 'embedded:world']) expect(card).toContain(fact);
  expect((await fetch(`${server.url}${at}/merge?dtype=int4`)).status).toBe(400);
});

test('pairs are exported with their images in the forms other trainers read', async () => {
  const trl = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=trl`);
  const rows = (trl.get('pairs.jsonl')?.toString() ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { images: string[]; prompt: { content: { type: string }[] }[]; chosen: { role: string }[] });
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const [image = ''] = row.images;
    const bytes = trl.get(image);
    ensure(bytes, image);
    expect(image).toBe(`images/${sha256(bytes)}.png`);
    expect(row.prompt[0]?.content.map((part) => part.type)).toStrictEqual(['image', 'text']);
    expect(row.chosen[0]?.role).toBe('assistant');
  }
  const factory = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=llamafactory`);
  const info = JSON.parse(factory.get('dataset_info.json')?.toString() ?? '') as Record<string, { ranking: boolean; file_name: string }>;
  ensure(info['stic_pairs']);
  expect(info['stic_pairs'].ranking).toBe(true);
  const ranked = JSON.parse(factory.get(info['stic_pairs'].file_name)?.toString() ?? '') as {
    conversations: { value: string }[];
    images: string[];
  }[];
  expect(ranked).toHaveLength(rows.length);
  expect(ranked.filter((row) => !(row.conversations[0]?.value.split('<image>').length === 2 && row.images.length === 1))).toStrictEqual([]);
  const llava = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=llava`);
  const plain = JSON.parse(llava.get('pairs.json')?.toString() ?? '') as { conversations: { value: string }[]; image: string }[];
  expect(plain.filter((row) => !(row.conversations[0]?.value.startsWith('<image>\n') && llava.has(row.image)))).toStrictEqual([]);
  expect((await server.call('GET', `/api/runs/${whole.id}/pairs/export?format=csv`)).status).toBe(400);
});

test('a download that was cut off goes on with a range and gives the same bytes', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const at = `${server.url}/api/checkpoints/${checkpoints[0]?.id}/files`;
  for (const where of [at, `${at}?merged=true`, `${server.url}/api/runs/${whole.id}/pairs/export?format=trl`]) {
    const response = await fetch(where);
    const etag = response.headers.get('etag') ?? '';
    const size = Number(response.headers.get('content-length'));
    const reader = response.body?.getReader();
    const start = Buffer.from((await reader?.read())?.value ?? []);
    await reader?.cancel();
    const rest = await fetch(where, { headers: { range: `bytes=${start.length}-`, 'if-range': etag } });
    expect([rest.status, rest.headers.get('content-range')]).toStrictEqual([206, `bytes ${start.length}-${size - 1}/${size}`]);
    const resumed = Buffer.concat([start, Buffer.from(await rest.arrayBuffer())]);
    expect(sha256(resumed)).toBe(sha256(Buffer.from(await (await fetch(where)).arrayBuffer())));
    expect((await fetch(where, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })).status).toBe(304);
  }
});

test('a run of which no pair is left fails for good, and each is listed', async () => {
  // A bound that every description is above, which shows only once they are written.
  const strict = await server.smallRecipe(({ prefer, dpo }) => {
    if (prefer) prefer.maxSkippedFraction = 0.5;
    if (dpo) [dpo.maxTextTokens, dpo.maxSkippedFraction] = [20, 0];
  });
  const made = Run.fromJSON(await server.post('/api/runs', { recipe: strict, inputs: [{ role: 'images', dataset_id: spoiled }] }));
  const run = await server.ended(made.id);
  expect(run.state).toBe(RunState.RUN_STATE_FAILED);
  ensure(run.error);
  expect(run.error.code).toBe('DATA_INVALID');
  expect(run.error.hint).toMatch(/skipped items/);
  expect(run.stages.map((stage) => stage.state)).toStrictEqual([
    StageState.STAGE_STATE_SUCCEEDED,
    StageState.STAGE_STATE_FAILED,
    StageState.STAGE_STATE_SKIPPED,
  ]);
  expect(run.stages[1]?.attempts.length, 'bad data is not tried again').toBe(1);
  const { skipped, nextPageToken } = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${run.id}/skipped?page_size=1`));
  const rest = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${run.id}/skipped?page_token=${nextPageToken}`));
  const listed = [...skipped, ...rest.skipped].map((one) => `${one.where} ${one.item?.name} ${one.item?.code}`);
  expect(listed.filter((line) => line.startsWith('import')).sort()).toStrictEqual([
    'import empty.png EMPTY_FILE',
    'import letter.jpg NOT_AN_IMAGE',
  ]);
  expect(listed.some((line) => line.startsWith('dpo') && line.endsWith('TOO_LONG'))).toBe(true);
  expect(run.skipped).toBe(listed.length);
}, 120_000);

test('a cancel while a worker is generating stops it and ends the run', async () => {
  const made = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: inputs.slice(0, 1), reuse_stages: false }));
  await server.runWhen(made.id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  expect(Run.fromJSON(await server.post(`/api/runs/${made.id}/cancel`, {})).state).toBe(RunState.RUN_STATE_CANCELLING);
  const run = await server.ended(made.id);
  expect(run.state).toBe(RunState.RUN_STATE_CANCELLED);
  expect(run.stages.map((stage) => stage.state)).toStrictEqual([
    StageState.STAGE_STATE_CANCELLED,
    StageState.STAGE_STATE_SKIPPED,
    StageState.STAGE_STATE_SKIPPED,
  ]);
  const next = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: inputs.slice(0, 1), reuse_stages: false }));
  await server.runWhen(next.id, (one) => isWorking(one, StageKind.STAGE_KIND_PREFER));
  await server.post(`/api/runs/${next.id}/cancel`, {});
  expect((await server.ended(next.id)).state, 'the trainer was free again').toBe(RunState.RUN_STATE_CANCELLED);
}, 120_000);
