import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
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

const product = new Product();
let server: Server;
let images = '';
let spoiled = '';
let whole: Run;
/** The SSE stream of the whole run, read from its start to its end. */
let watched: Promise<Run[]>;
let inputs: { role: string; dataset_id: string }[] = [];
let recipe: unknown;

before(async () => {
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
after(() => product.close());

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
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const text = await response.text();
  return [...text.matchAll(/^event: update\ndata: (.*)$/gm)].map((match) => Run.fromJSON(JSON.parse(match[1] ?? '')));
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('validate_only says what the run would be and stores nothing', async () => {
  const preview = Run.fromJSON(await server.post('/api/runs', { recipe, inputs, validate_only: true }));
  assert.equal(preview.stages.length, 6);
  assert.match(preview.recipe?.model?.digest ?? '', /^[0-9a-f]{64}$/);
  assert.match(preview.recipe?.model?.templateHash ?? '', /^[0-9a-f]{64}$/);
  assert.ok(preview.differences.some((difference) => difference.field === 'dpo.optimizer.learning_rate'));
  assert.deepEqual(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs, []);
});

test('validate_only says image tokens, row lengths, memory and refused shares; a run that cannot succeed is refused before it is queued', async () => {
  const asked = { recipe, inputs: [{ role: 'images', dataset_id: spoiled }] };
  const preview = Run.fromJSON(await server.post('/api/runs', { ...asked, validate_only: true })).preflight;
  assert.ok(preview?.estimate, preview?.unavailable);
  const [images] = preview.estimate.inputs;
  assert.equal(images?.items, 4);
  assert.equal(images.sampled, 4);
  assert.equal(images.imageTokens?.min, 9);
  assert.deepEqual(
    preview.estimate.stages.map(({ kind }) => kind),
    [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO],
  );
  assert.ok(preview.estimate.stages.every(({ memoryBytes, memory }) => memoryBytes === memory.reduce((sum, { bytes }) => sum + bytes, 0n)));
  const [share] = preview.refused;
  assert.deepEqual([share?.refused, share?.items, share?.field], [2, 4, 'prefer.max_skipped_fraction']);

  const strict = { ...asked, recipe: await server.smallRecipe(({ prefer }) => prefer && (prefer.maxSkippedFraction = 0.05)) };
  const refused = await server.call('POST', '/api/runs', strict);
  const error = problemOf(refused);
  assert.equal(error.field, 'prefer.max_skipped_fraction');
  assert.match(error.hint ?? '', /--set prefer\.max_skipped_fraction=0\.34/);
  const short = await server.smallRecipe((changed) => {
    if (changed.prefer) changed.prefer.maxSkippedFraction = 0.34;
    if (changed.dpo) changed.dpo.maxLength = 16;
  });
  const long = Run.fromJSON(await server.post('/api/runs', { ...asked, recipe: short, validate_only: true })).preflight?.obstacles ?? [];
  assert.deepEqual(
    long.map(({ field }) => field),
    ['dpo.max_length'],
  );
  assert.match(long[0]?.message ?? '', /All 4 rows of stage dpo are too long/);
  assert.deepEqual(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs, []);
});

test('a request that cannot become a run is refused with the field and the reason', async () => {
  const refused = async (body: object, status: number, field: string, message: RegExp): Promise<void> => {
    const answer = await server.call('POST', '/api/runs', { recipe, inputs, ...body });
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    const error = problemOf(answer);
    assert.equal(error.field, field);
    assert.match(error.detail, message);
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
  assert.deepEqual(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs, []);
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
    assert.equal(answer.status, 400);
    assert.equal(error.field, 'model.path');
    assert.match(error.detail, /1 tensor that the model needs is missing: model\.language_model\.layers\.1\.mlp\.up_proj\.weight/);
  }
  assert.equal(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs.length, before);
});

test('the same request_id makes one run, also when it is sent twice at once', async () => {
  const body = { request_id: randomUUID(), name: 'whole', recipe, inputs };
  const [first, second] = (await Promise.all([server.post('/api/runs', body), server.post('/api/runs', body)])).map((json) =>
    Run.fromJSON(json),
  );
  assert.ok(first && second);
  assert.equal(first.id, second.id);
  whole = first;
  watched = readEvents(`${server.url}/api/runs/${whole.id}/watch`);
  assert.equal(ListRunsResponse.fromJSON(await server.get('/api/runs')).runs.length, 1);
});

test('a run behind another waits in the queue and is cancelled there at once', { timeout: 120_000 }, async () => {
  await server.runWhen(whole.id, (run) => run.state === RunState.RUN_STATE_RUNNING);
  const waiting = Run.fromJSON(await server.post('/api/runs', { name: 'waiting', recipe, inputs }));
  assert.equal(waiting.state, RunState.RUN_STATE_QUEUED);
  assert.equal(waiting.queuePosition, 1);
  const cancelled = Run.fromJSON(await server.post(`/api/runs/${waiting.id}/cancel`, {}));
  assert.equal(cancelled.state, RunState.RUN_STATE_CANCELLED);
  assert.deepEqual(
    cancelled.stages.flatMap((stage) => stage.attempts),
    [],
  );
  assert.equal(Run.fromJSON(await server.post(`/api/runs/${waiting.id}/cancel`, {})).state, RunState.RUN_STATE_CANCELLED);
});

test('the whole recipe runs, stage after stage, and a watcher sees it from start to end', { timeout: 300_000 }, async () => {
  const run = await server.ended(whole.id);
  assert.equal(run.state, RunState.RUN_STATE_SUCCEEDED, JSON.stringify(run.error));
  assert.deepEqual(
    run.stages.map((stage) => stage.state),
    Array<StageState>(6).fill(StageState.STAGE_STATE_SUCCEEDED),
  );
  for (const stage of run.stages) {
    assert.equal(stage.attempts.length, 1);
    // Infusing descriptions is text only.
    if (stage.kind !== StageKind.STAGE_KIND_INFUSE) assert.notEqual(stage.attempts[0]?.device, '');
  }
  for (const [index, stage] of run.stages.slice(1).entries())
    assert.ok((stage.startedAt ?? 0) >= (run.stages[index]?.endedAt ?? 0), 'one after the other');

  const seen = await watched;
  assert.equal(seen.at(-1)?.state, RunState.RUN_STATE_SUCCEEDED);
  assert.ok(seen.length > 10, `${seen.length} updates`);
  const order = [RunState.RUN_STATE_QUEUED, RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_SUCCEEDED];
  const states = seen.map((one) => order.indexOf(one.state));
  assert.deepEqual(states, [...states].sort(), 'the run never goes back');
});

test('what the run has made can be read page by page', async () => {
  const at = `/api/runs/${whole.id}`;
  const metrics: string[] = [];
  let more = true;
  for (let cursor = ''; more;) {
    const page = ListMetricsResponse.fromJSON(await server.get(`${at}/metrics?page_size=3&cursor=${cursor}`));
    metrics.push(...page.metrics.map((metric) => `${metric.point?.name} ${metric.point?.step}`));
    ({ nextCursor: cursor, more } = page);
  }
  assert.equal(new Set(metrics).size, metrics.length, 'each point once');
  for (const name of ['dpo/loss', 'rewards/margins', 'rewards/accuracies', 'logps/chosen', 'sft/loss'])
    assert.ok(metrics.includes(`${name} 1`), name);

  const all = ListPairsResponse.fromJSON(await server.get(`${at}/pairs`));
  assert.equal(all.total, all.pairs.length);
  assert.equal(
    Object.values(all.counts).reduce((sum, count) => sum + count, 0),
    all.total,
  );
  const kinds = Object.keys(all.counts);
  for (const kind of kinds) {
    const some = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?made_by=${kind}`));
    assert.equal(some.pairs.length, all.counts[kind]);
    assert.ok(some.pairs.every((pair) => pair.madeBy === kind));
  }
  const first = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?page_size=2`));
  const second = ListPairsResponse.fromJSON(await server.get(`${at}/pairs?page_size=2&page_token=${first.nextPageToken}`));
  assert.deepEqual([...first.pairs, ...second.pairs], all.pairs.slice(0, 4));

  assert.ok(ListLogsResponse.fromJSON(await server.get(`${at}/logs`)).logs.length > 0);
  const { samples } = ListSamplesResponse.fromJSON(await server.get(`${at}/samples`));
  assert.deepEqual([...new Set(samples.map((sample) => sample.subject))].sort(), ['base', 'stage1', 'stage2']);
});

test('the comparison has every cell and says in words what it means', async () => {
  const { scores, findings } = Comparison.fromJSON(await server.get(`/api/runs/${whole.id}/comparison`));
  const cells = scores.filter((score) => score.primary).map((score) => `${score.subject} ${score.mode}`);
  assert.deepEqual([...cells].sort(), ['base dar', 'base plain', 'stage1 dar', 'stage1 plain', 'stage2 dar', 'stage2 plain']);
  assert.match(findings[0] ?? '', /^Stage 1 (helped|did not help)/);
  const { evaluations } = ListEvaluationsResponse.fromJSON(await server.get(`/api/evaluations?run_id=${whole.id}`));
  assert.equal(evaluations.length, scores.length);
  for (const { checkpointId, score } of evaluations) assert.equal(checkpointId === '', score?.subject === 'base');
});

test('checkpoints carry their base and parent, and lead back to images, prompts, seed and model', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const [stage2, stage1] = checkpoints;
  assert.deepEqual([stage1?.name, stage2?.name], ['stage1', 'stage2']);
  assert.equal(stage2?.parentId, stage1?.id);
  assert.equal(stage1?.baseModelDigest, whole.recipe?.model?.digest);
  const files = await readTar(`${server.url}/api/checkpoints/${stage2?.id}/files`);
  assert.ok(files.has('adapter_config.json') && files.has('adapter_model.safetensors'), [...files.keys()].join());
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).sort();
  const byPath = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  assert.ok(
    [lines, byPath].some((sorted) => sha256(Buffer.from(sorted.join(''))) === stage2?.adapterSha256),
    'the archive is the tree of that digest',
  );

  const { nodes, edges } = Lineage.fromJSON(await server.get(`/api/checkpoints/${stage2?.id}/lineage`));
  const labels = (type: string): string[] => nodes.filter((node) => node.type === type).map((node) => node.label);
  assert.deepEqual(labels('dataset').sort(), ['images', 'instructions']);
  assert.deepEqual(labels('stage').sort(), ['describe', 'dpo', 'infuse', 'prefer', 'sft']);
  assert.deepEqual(labels('checkpoint').sort(), ['stage1', 'stage2']);
  assert.equal(nodes.find((node) => node.type === 'recipe')?.facts['seed'], '42');
  const reached = new Set([stage2?.id]);
  for (let round = 0; round < nodes.length; round++) for (const edge of edges) if (reached.has(edge.to)) reached.add(edge.from);
  assert.equal(reached.size, nodes.length, 'every node leads to the checkpoint');
});

test('a checkpoint is merged into its base model once, in the background, and downloaded as a folder that says what it is', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${whole.id}`));
  const stage2 = checkpoints[0];
  assert.ok(stage2);
  const at = `/api/checkpoints/${stage2.id}`;
  assert.equal((await fetch(`${server.url}${at}/merge`)).status, 404, 'none was started');
  const started = MergedExport.fromJSON(await server.post(`${at}/merge`, {}));
  assert.equal(started.state, MergedState.MERGED_STATE_RUNNING);
  assert.equal((await fetch(`${server.url}${at}/files?merged=true`)).status, 400, 'not there yet');
  const ready = await until(
    async () => MergedExport.fromJSON(await server.get(`${at}/merge`)),
    ({ state }) => state !== MergedState.MERGED_STATE_RUNNING,
  );
  assert.equal(ready.state, MergedState.MERGED_STATE_READY, ready.error);
  assert.ok(ready.effect > ready.largestDifference && ready.storedDtype === 'float32', JSON.stringify(MergedExport.toJSON(ready)));
  assert.deepEqual(MergedExport.fromJSON(await server.post(`${at}/merge`, {})), ready, 'asked again, it is the same');

  const files = await readTar(`${server.url}${at}/files?merged=true`);
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) assert.ok(files.has(name), [...files.keys()].join());
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).sort();
  assert.equal(sha256(Buffer.from(lines.join(''))), ready.sha256);
  const card = files.get('README.md')?.toString() ?? '';
  for (const fact of [whole.id, whole.recipeDigest, stage2.adapterSha256, 'embedded:world']) assert.ok(card.includes(fact), card);
  assert.equal((await fetch(`${server.url}${at}/merge?dtype=int4`)).status, 400);
});

test('pairs are exported with their images in the forms other trainers read', async () => {
  const trl = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=trl`);
  const rows = (trl.get('pairs.jsonl')?.toString() ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { images: string[]; prompt: { content: { type: string }[] }[]; chosen: { role: string }[] });
  assert.ok(rows.length > 0);
  for (const row of rows) {
    const [image = ''] = row.images;
    const bytes = trl.get(image);
    assert.ok(bytes, image);
    assert.equal(image, `images/${sha256(bytes)}.png`);
    assert.deepEqual(
      row.prompt[0]?.content.map((part) => part.type),
      ['image', 'text'],
    );
    assert.equal(row.chosen[0]?.role, 'assistant');
  }
  const factory = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=llamafactory`);
  const info = JSON.parse(factory.get('dataset_info.json')?.toString() ?? '') as Record<string, { ranking: boolean; file_name: string }>;
  assert.equal(info['stic_pairs']?.ranking, true);
  const ranked = JSON.parse(factory.get(info['stic_pairs'].file_name)?.toString() ?? '') as {
    conversations: { value: string }[];
    images: string[];
  }[];
  assert.equal(ranked.length, rows.length);
  assert.ok(ranked.every((row) => row.conversations[0]?.value.split('<image>').length === 2 && row.images.length === 1));
  const llava = await readTar(`${server.url}/api/runs/${whole.id}/pairs/export?format=llava`);
  const plain = JSON.parse(llava.get('pairs.json')?.toString() ?? '') as { conversations: { value: string }[]; image: string }[];
  assert.ok(plain.every((row) => row.conversations[0]?.value.startsWith('<image>\n') && llava.has(row.image)));
  assert.equal((await server.call('GET', `/api/runs/${whole.id}/pairs/export?format=csv`)).status, 400);
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
    assert.deepEqual([rest.status, rest.headers.get('content-range')], [206, `bytes ${start.length}-${size - 1}/${size}`]);
    const resumed = Buffer.concat([start, Buffer.from(await rest.arrayBuffer())]);
    assert.equal(sha256(resumed), sha256(Buffer.from(await (await fetch(where)).arrayBuffer())));
    assert.equal((await fetch(where, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })).status, 304);
  }
});

test('a run of which no pair is left fails for good, and each is listed', { timeout: 120_000 }, async () => {
  // A bound that every description is above, which shows only once they are written.
  const strict = await server.smallRecipe(({ prefer, dpo }) => {
    if (prefer) prefer.maxSkippedFraction = 0.5;
    if (dpo) [dpo.maxTextTokens, dpo.maxSkippedFraction] = [20, 0];
  });
  const made = Run.fromJSON(await server.post('/api/runs', { recipe: strict, inputs: [{ role: 'images', dataset_id: spoiled }] }));
  const run = await server.ended(made.id);
  assert.equal(run.state, RunState.RUN_STATE_FAILED);
  assert.equal(run.error?.code, 'DATA_INVALID');
  assert.match(run.error.hint, /skipped items/);
  assert.deepEqual(
    run.stages.map((stage) => stage.state),
    [StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_FAILED, StageState.STAGE_STATE_SKIPPED],
  );
  assert.equal(run.stages[1]?.attempts.length, 1, 'bad data is not tried again');
  const { skipped, nextPageToken } = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${run.id}/skipped?page_size=1`));
  const rest = ListSkippedResponse.fromJSON(await server.get(`/api/runs/${run.id}/skipped?page_token=${nextPageToken}`));
  const listed = [...skipped, ...rest.skipped].map((one) => `${one.where} ${one.item?.name} ${one.item?.code}`);
  assert.deepEqual(listed.filter((line) => line.startsWith('import')).sort(), [
    'import empty.png EMPTY_FILE',
    'import letter.jpg NOT_AN_IMAGE',
  ]);
  assert.ok(listed.some((line) => line.startsWith('dpo') && line.endsWith('TOO_LONG')));
  assert.equal(run.skipped, listed.length);
});

test('a cancel while a worker is generating stops it and ends the run', { timeout: 120_000 }, async () => {
  const made = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: inputs.slice(0, 1), reuse_stages: false }));
  await server.runWhen(made.id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  assert.equal(Run.fromJSON(await server.post(`/api/runs/${made.id}/cancel`, {})).state, RunState.RUN_STATE_CANCELLING);
  const run = await server.ended(made.id);
  assert.equal(run.state, RunState.RUN_STATE_CANCELLED);
  assert.deepEqual(
    run.stages.map((stage) => stage.state),
    [StageState.STAGE_STATE_CANCELLED, StageState.STAGE_STATE_SKIPPED, StageState.STAGE_STATE_SKIPPED],
  );
  const next = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: inputs.slice(0, 1), reuse_stages: false }));
  await server.runWhen(next.id, (one) => isWorking(one, StageKind.STAGE_KIND_PREFER));
  await server.post(`/api/runs/${next.id}/cancel`, {});
  assert.equal((await server.ended(next.id)).state, RunState.RUN_STATE_CANCELLED, 'the trainer was free again');
});
