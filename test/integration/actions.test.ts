import { CliError } from '../../server/src/cli/cli-error.js';
import { connect, disconnect } from '../../server/src/cli/clients.js';
import { ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import {
  ListLogsResponse,
  ListMetricsResponse,
  ListPairsResponse,
  ListSamplesResponse,
  Run,
  RunState,
  type Stage,
  StageState,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { DatasetKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { attemptsOf, isWorking } from '../support/checks.js';
import { Product, until, problemOf } from '../support/product.js';
import type { Server } from '../support/product.js';
import { ensure, fail, rejection } from '../support/expect.js';

const { STAGE_KIND_PREFER, STAGE_KIND_DPO, STAGE_KIND_EVALUATE } = StageKind;
const product = new Product();
let server: Server;
let inputs: { role: string; dataset_id: string }[] = [];
let recipe: unknown;
/** Was paused and resumed, and has succeeded. */
let first: Run;

beforeAll(async () => {
  server = await product.start();
  const world = await product.world(4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  inputs = [{ role: 'images', dataset_id: images.id }];
  recipe = await server.smallRecipe(({ dpo, evaluate }) => {
    if (dpo?.optimizer) dpo.optimizer.epochs = 20;
    if (evaluate) evaluate.sampleImages = 1;
  });
});
afterAll(() => product.close());

const create = async (body: object): Promise<Run> => Run.fromJSON(await server.post('/api/runs', { recipe, inputs, ...body }));
const act = async (run: Run, action: string, body = {}): Promise<Run> =>
  Run.fromJSON(await server.post(`/api/runs/${run.id}/${action}`, body));
const states = (run: Run): StageState[] => run.stages.map((stage) => stage.state);
const stageOf = (run: Run, kind: StageKind): Stage => run.stages.find((stage) => stage.kind === kind) ?? fail(kind);

async function refusal(run: Run, action: string, body = {}): Promise<{ status: number; message: string; hint: string }> {
  const answer = await server.call('POST', `/api/runs/${run.id}/${action}`, body);
  const { detail, hint = '' } = problemOf(answer);
  return { status: answer.status, message: detail, hint };
}

async function steps(run: Run, name: string, all = false): Promise<number[]> {
  const answer = await server.get(`/api/runs/${run.id}/metrics?page_size=5000&all_attempts=${all}`);
  const { metrics } = ListMetricsResponse.fromJSON(answer);
  return metrics.flatMap(({ point }) => (point?.name === name ? [point.step] : [])).sort((a, b) => a - b);
}

test('a paused run saves its work, leaves the trainer to others and goes on where it was', async () => {
  const run = await create({ name: 'first' });
  await server.runWhen(run.id, (one) => isWorking(one, STAGE_KIND_DPO));
  await until(
    () => steps(run, 'dpo/loss'),
    (found) => found.length > 2,
  );
  expect([RunState.RUN_STATE_PAUSING, RunState.RUN_STATE_PAUSED]).toContain((await act(run, 'pause')).state);
  const paused = await server.runWhen(run.id, (one) => one.state === RunState.RUN_STATE_PAUSED);
  expect(states(paused)).toStrictEqual([StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_PAUSED, StageState.STAGE_STATE_PENDING]);
  expect(
    attemptsOf(paused, STAGE_KIND_DPO).map((attempt) => attempt.state),
    'stopped, not lost',
  ).toStrictEqual([JobState.JOB_STATE_CANCELLED]);
  expect((await act(run, 'pause')).state, 'asking again changes nothing').toBe(RunState.RUN_STATE_PAUSED);
  expect((await refusal(run, 'retry')).hint).toMatch(/Resume it/);
  const trained = (await steps(run, 'dpo/loss')).length;

  await act(run, 'resume');
  expect((await act(run, 'resume')).state).not.toBe(RunState.RUN_STATE_PAUSED);
  first = await server.ended(run.id);
  expect(first.state, JSON.stringify(first.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  const [stopped, resumed, ...more] = attemptsOf(first, STAGE_KIND_DPO);
  expect([stopped?.state, resumed?.state, more.length]).toStrictEqual([JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_SUCCEEDED, 0]);
  expect(resumed?.resumedFromStep, 'no step is trained twice').toBe(trained);
  const visible = await steps(first, 'dpo/loss');
  expect(visible, 'every step once').toStrictEqual(Array.from(visible, (_, index) => index + 1));
  expect((await refusal(first, 'pause')).message).toMatch(/SUCCEEDED: there is nothing to pause/);
  expect((await refusal(first, 'retry')).hint).toMatch(/Fork it/);
}, 240_000);

test('a run that equals an earlier one is linked to it, stage by stage, and reads as if it had run', async () => {
  const again = await server.ended((await create({ name: 'again' })).id);
  expect(again.state).toBe(RunState.RUN_STATE_SUCCEEDED);
  for (const stage of again.stages) {
    const source = stageOf(first, stage.kind);
    expect([stage.linkedFrom?.runId, stage.linkedFrom?.runName, stage.linkedFrom?.stageId, stage.linkedFrom?.attemptId]).toStrictEqual([
      first.id,
      'first',
      source.id,
      source.attempts.at(-1)?.id,
    ]);
    expect(stage.artifacts).toStrictEqual(source.artifacts);
    expect(
      stage.attempts.map((attempt) => attempt.trainer),
      'no trainer has heard of it',
    ).toStrictEqual(['']);
  }
  const both = async <T>(read: (id: string) => Promise<T>): Promise<void> =>
    expect(await read(again.id)).toStrictEqual(await read(first.id));
  await both(async (id) => ListPairsResponse.fromJSON(await server.get(`/api/runs/${id}/pairs`)));
  await both(async (id) => ListSamplesResponse.fromJSON(await server.get(`/api/runs/${id}/samples`)));
  await both(async (id) => {
    const { metrics } = ListMetricsResponse.fromJSON(await server.get(`/api/runs/${id}/metrics?page_size=5000`));
    return metrics.map(({ stage, point }) => ({ stage, point }));
  });
  await both(async (id) => {
    const { checkpoints } = ListCheckpointsResponse.fromJSON(await server.get(`/api/checkpoints?run_id=${id}`));
    return checkpoints.map(({ name, adapterSha256 }) => ({ name, adapterSha256 }));
  });
  const { logs } = ListLogsResponse.fromJSON(await server.get(`/api/runs/${again.id}/logs`));
  expect(logs[0]?.line?.message ?? '').toMatch(/Linked, not run again.*"first"/);
});

test('the same can be asked over gRPC, and a refusal says what to do', async () => {
  const { runs, ...others } = connect(server.grpc);
  for (const method of ['pauseRun', 'resumeRun', 'retryRun'] as const) {
    const error = await rejection(runs[method]({ runId: first.id }), CliError);
    expect(`${error.message} ${error.hint}`).toMatch(/SUCCEEDED: .* [Ff]ork/);
  }
  disconnect({ runs, ...others });
});

test('a fork runs what its changes reach, and a retry goes on from where it stopped', async () => {
  const body = { forked_from: first.id, recipe: undefined, inputs: undefined, changes: { 'dpo.beta': '0.2', 'dpo.optimizer.epochs': '6' } };
  const odd = await server.call('POST', '/api/runs', { ...body, changes: { 'dpo.gamma': '1' } });
  expect([odd.status, problemOf(odd).field]).toStrictEqual([400, 'changes[dpo.gamma]']);
  const fork = await create(body);
  expect(fork.name).toBe('fork of first');
  expect(fork.fork).toStrictEqual({
    runId: first.id,
    runName: 'first',
    changes: [
      { field: 'dpo.beta', from: '0.1', to: '0.2' },
      { field: 'dpo.optimizer.epochs', from: '20', to: '6' },
    ],
  });
  expect(fork.inputs).toStrictEqual(first.inputs);

  const training = await server.runWhen(fork.id, (run) => isWorking(run, STAGE_KIND_DPO));
  expect(stageOf(training, STAGE_KIND_PREFER).linkedFrom?.runId).toBe(first.id);
  await act(fork, 'cancel');
  const cancelled = await server.ended(fork.id);
  expect(cancelled.state).toBe(RunState.RUN_STATE_CANCELLED);
  const early = await refusal(fork, 'retry', { from_stage: STAGE_KIND_EVALUATE });
  expect([early.status, early.hint]).toStrictEqual([400, 'Retry from dpo.']);

  const retried = await act(fork, 'retry', { from_stage: STAGE_KIND_DPO });
  expect([retried.error, retried.endedAt]).toStrictEqual([undefined, undefined]);
  const trained = await server.runWhen(fork.id, (run) => stageOf(run, STAGE_KIND_DPO).state === StageState.STAGE_STATE_SUCCEEDED);
  expect(trained.stages.map((stage) => stage.attempts.length).slice(0, 2)).toStrictEqual([1, 2]);
  expect(stageOf(trained, STAGE_KIND_DPO).linkedFrom).toBeUndefined();
  expect(await steps(fork, 'dpo/loss'), 'one point per step, whichever attempt made it').toStrictEqual([1, 2, 3, 4, 5, 6]);
  await act(fork, 'cancel');
  await server.ended(fork.id);
}, 240_000);

test('the queue goes by priority, then by age; a run that no trainer fits waits without being in the way', async () => {
  const own = { reuse_stages: false };
  const picky = await create({ ...own, name: 'picky', requires: { labels: { tag: 'a100' } }, priority: 9 });
  const waits = await server.runWhen(picky.id, (run) => run.waiting !== '');
  expect([waits.state, waits.waiting, waits.queuePosition]).toStrictEqual([RunState.RUN_STATE_QUEUED, 'no trainer has label tag=a100', 1]);
  const long = await server.smallRecipe(({ dpo }) => dpo?.optimizer && (dpo.optimizer.epochs = 1000));
  const busy = await create({ recipe: long, name: 'busy' });
  await server.runWhen(busy.id, (run) => isWorking(run, STAGE_KIND_DPO));
  const later = await create({ ...own, name: 'later' });
  const urgent = await create({ ...own, name: 'urgent', priority: 5 });
  const positions = await Promise.all([picky, urgent, later].map(async ({ id }) => (await server.run(id)).queuePosition));
  expect(positions).toStrictEqual([1, 2, 3]);
  expect((await server.run(later.id)).waiting).toBe('every trainer is busy');

  const big = await product.sidecar('big', { labels: ['tag=a100'] });
  const replica = await product.replica([await product.localTrainer(), big.address]);
  const placed = await server.runWhen(picky.id, (run) => attemptsOf(run, STAGE_KIND_PREFER).length > 0);
  expect(attemptsOf(placed, STAGE_KIND_PREFER)[0]?.trainer).not.toBe(`127.0.0.1:${product.trainer.port}`);
  const { trainers } = (await replica.get('/api/trainers')) as { trainers: { info: { labels?: object } }[] };
  expect(trainers.map(({ info }) => info.labels ?? {})).toStrictEqual([{}, { tag: 'a100' }]);
  await act(busy, 'cancel');
  await server.runWhen(urgent.id, (run) => run.state === RunState.RUN_STATE_RUNNING);
  expect((await server.run(later.id)).state).toBe(RunState.RUN_STATE_QUEUED);
  for (const run of [later, urgent, picky]) await act(run, 'cancel');
  for (const run of [urgent, picky]) await server.ended(run.id);
}, 240_000);

test('a fault that may pass is tried as often as the recipe says, and a person may try again', async () => {
  const once = await server.smallRecipe(({ retry }) => retry && (retry.maxAttempts = 1));
  const run = await create({ recipe: once, reuse_stages: false, name: 'once' });
  const working = await server.runWhen(run.id, (one) => isWorking(one, STAGE_KIND_PREFER));
  process.kill(product.worker(attemptsOf(working, STAGE_KIND_PREFER)[0]?.id ?? ''), 'SIGKILL');
  const failed = await server.ended(run.id);
  expect(failed.state).toBe(RunState.RUN_STATE_FAILED);
  ensure(failed.error);
  expect(failed.error.code).toBe('WORKER_LOST');
  expect(failed.error.message).toMatch(/after 1 attempt, as many as retry\.max_attempts allows/);
  expect(attemptsOf(failed, STAGE_KIND_PREFER).map((attempt) => attempt.state)).toStrictEqual([JobState.JOB_STATE_LOST]);
  await act(run, 'retry');
  await server.runWhen(run.id, (one) => attemptsOf(one, STAGE_KIND_PREFER).length === 2);
  await act(run, 'cancel');
  expect((await server.ended(run.id)).state).toBe(RunState.RUN_STATE_CANCELLED);
}, 240_000);
