// An adapter that was trained elsewhere, with PEFT alone, as the start of runs and as the champion that they are compared with.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Checkpoint, Lineage, ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Gate, ListAliasesResponse } from '@stic/api/gen/stic/registry/v1/registry.js';
import { ListOrphansResponse } from '@stic/api/gen/stic/retention/v1/retention.js';
import { Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { readTar } from '../support/archive.js';
import { python } from '../support/photographs.js';
import { Product, problemOf } from '../support/product.js';
import type { Answer, Server } from '../support/product.js';
import { ensure } from '../support/expect.js';

const product = new Product();
const model = path.join(repositoryRoot(), 'trainer-py/stic_trainer/world/model');
const adapter = path.join(product.folder, 'my adapter');
let server: Server;
let inputs: { role: string; dataset_id: string }[] = [];
let imported: Checkpoint;
let started: Run;

beforeAll(async () => {
  server = await product.start();
  await train(adapter, String.raw`.*language_model.*\.(q_proj|v_proj)`);
  const world = await product.world(6, 4, 4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const benchmark = await server.dataset('descriptions', DatasetKind.DATASET_KIND_BENCHMARK, `${world}/benchmarks/world-descriptions`);
  inputs = [
    { role: 'images', dataset_id: images.id },
    { role: 'benchmark', dataset_id: benchmark.id },
  ];
});
afterAll(() => product.close());

async function train(folder: string, targetModules: string): Promise<void> {
  await promisify(execFile)(python, [path.join(repositoryRoot(), 'test/support/foreign_adapter.py'), model, folder, targetModules]);
}

const request = (over: object = {}): object => ({ path: adapter, base_model_path: 'embedded:world', ...over });

/** A recipe from the imported checkpoint, in its shape unless told otherwise. */
const recipeFrom = (checkpointId: string, rank = 8): Promise<unknown> =>
  server.smallRecipe((recipe) => {
    recipe.startFrom = { point: StartPoint.START_POINT_CHECKPOINT, alias: '', checkpointId, adapterSha256: '' };
    recipe.gate = { alias: '', maxDrop: 100, minMeanGain: 100, requireApproval: false };
    if (recipe.dpo?.lora) Object.assign(recipe.dpo.lora, { rank, alpha: 16, dropout: 0, targetModules: ['q_proj', 'v_proj'] });
    if (recipe.evaluate) Object.assign(recipe.evaluate, { modes: ['plain'], sampleImages: 0, bootstrapResamples: 200 });
  });

async function refused(answer: Promise<Answer>, status: number, field: string, message: RegExp): Promise<void> {
  const problem = problemOf(await answer);
  expect([problem.status, problem.field], JSON.stringify(problem)).toStrictEqual([status, field]);
  expect(problem.detail).toMatch(message);
}

test('an adapter that PEFT has written becomes a checkpoint, once for a request', async () => {
  const asked = request({ request_id: randomUUID(), name: 'from the lab next door' });
  imported = Checkpoint.fromJSON(await server.post('/api/checkpoints/import', asked));
  expect([imported.name, imported.runId, imported.runName]).toStrictEqual(['from the lab next door', '', '']);
  expect([imported.importedFrom, imported.baseModelPath, imported.parentId]).toStrictEqual([adapter, 'embedded:world', '']);
  expect(imported.lora).toStrictEqual({ rank: 8, alpha: 16, dropout: 0, targetModules: ['q_proj', 'v_proj'] });
  expect(Checkpoint.fromJSON(await server.post('/api/checkpoints/import', asked)).id).toBe(imported.id);
  await refused(server.call('POST', '/api/checkpoints/import', { ...asked, name: 'other' }), 409, 'request_id', /used for another/);
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get('/api/checkpoints'));
  expect(checkpoints.map(({ id }) => id)).toStrictEqual([imported.id]);
  const files = await readTar(`${server.url}/api/checkpoints/${imported.id}/files`);
  expect([...files.keys()]).toStrictEqual(['adapter_config.json', 'adapter_model.safetensors']);
  const audited = await product.query<{ action: string }>(`SELECT action FROM audit_entry WHERE subject_id = $1`, [imported.id]);
  expect(audited).toStrictEqual([{ action: 'checkpoint.import' }]);
});

test('what cannot be one is refused by field and reason', async () => {
  const ask = (over: object): Promise<Answer> => server.call('POST', '/api/checkpoints/import', request(over));
  await refused(ask({ path: 'adapter' }), 400, 'path', /must be an absolute path/);
  await refused(ask({ base_model_path: 'model' }), 400, 'base_model_path', /must be an absolute path/);
  await refused(ask({ base_model_path: '/none' }), 400, 'base_model_path', /no such folder/);
  await refused(ask({ path: model }), 400, 'path', /it has no adapter_config\.json/);
  const everywhere = path.join(product.folder, 'everywhere');
  await train(everywhere, String.raw`.*\.(q_proj|v_proj)`);
  await refused(ask({ path: everywhere }), 400, 'path', /outside the linear layers of the language model: .*vision_tower/);
});

test('a run from it needs its base model and its shape', async () => {
  const start = async (recipe: unknown): Promise<Answer> => server.call('POST', '/api/runs', { recipe, inputs });
  await refused(
    start(await recipeFrom(imported.id, 32)),
    400,
    'dpo.lora.rank',
    /from the lab next door\) has an adapter with rank 8; .* says 32/,
  );
  await refused(start(await recipeFrom(randomUUID())), 404, 'start_from.checkpoint_id', /There is no checkpoint/);
  await refused(start(await recipeFrom('')), 400, 'start_from.checkpoint_id', /./);
});

test('a run trains it on to the end, without the folder it came from', async () => {
  renameSync(adapter, `${adapter} moved away`);
  const body = { name: 'on from there', recipe: await recipeFrom(imported.id), inputs };
  started = await server.ended(Run.fromJSON(await server.post('/api/runs', body)).id);
  expect(started.state, JSON.stringify(started.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  const start = started.recipe?.startFrom;
  expect([start?.checkpointId, start?.adapterSha256]).toStrictEqual([imported.id, imported.adapterSha256]);
  const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${started.id}`));
  const [stage1] = checkpoints;
  ensure(stage1);
  expect(stage1.parentId).toBe(imported.id);
  expect(stage1.adapterSha256).not.toBe(imported.adapterSha256);
  const { nodes, edges } = Lineage.fromJSON(await server.get(`/api/checkpoints/${stage1.id}/lineage`));
  expect(nodes.find((node) => node.id === imported.id)?.facts['imported_from']).toBe(adapter);
  expect(
    edges.filter((edge) => edge.from === imported.id),
    'both prefer and dpo start from it',
  ).toHaveLength(2);
  const own = Lineage.fromJSON(await server.get(`/api/checkpoints/${imported.id}/lineage`));
  expect(own.nodes.map(({ type }) => type)).toStrictEqual(['model', 'checkpoint']);
}, 250_000);

test('as the champion it is evaluated beside a candidate', async () => {
  await server.post('/api/aliases', { name: 'champion', checkpoint_id: imported.id, reason: 'what we have used so far' });
  const [alias] = ListAliasesResponse.fromJSON(await server.get('/api/aliases?name=champion')).aliases;
  expect([alias?.provenance?.checkpointName, alias?.provenance?.runId]).toStrictEqual([imported.name, '']);
  const body = { name: 'against it', recipe: await recipeFrom(imported.id), inputs };
  const run = await server.ended(Run.fromJSON(await server.post('/api/runs', body)).id);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  const gate = Gate.fromJSON(await server.get(`/api/runs/${run.id}/gate`));
  expect([gate.championId, gate.championRunName]).toStrictEqual([imported.id, imported.name]);
  const { scores } = Comparison.fromJSON(await server.get(`/api/runs/${run.id}/comparison`));
  expect([...new Set(scores.map((score) => score.subject))]).toStrictEqual(['base', 'champion', 'stage1']);
}, 250_000);

test('it can be pinned, and no rule of retention deletes it', async () => {
  const pin = (pinned: boolean): Promise<unknown> => server.post(`/api/checkpoints/${imported.id}/pin`, { pinned });
  await pin(true);
  await pin(false);
  const plan = JSON.stringify(await server.post('/api/retention/plan', { rules: { keep_days: 0 } }));
  expect(plan).not.toContain(imported.id);
  product.ageStore(48);
  const { orphans } = ListOrphansResponse.fromJSON(await server.get('/api/retention/orphans'));
  expect(orphans).toStrictEqual([]);
});
