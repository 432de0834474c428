import { randomUUID } from 'node:crypto';
import { credentials, status } from '@grpc/grpc-js';
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import {
  ListLogsResponse,
  ListMetricsResponse,
  ListRunsResponse,
  type MetricSeries,
  Run,
  RunServiceDefinition,
  RunState,
  StageState,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { grpcClient } from '@stic/api/grpc.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { JobEvent } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { ArtifactEntity, AttemptEntity, RunEntity, RunInputEntity, StageEntity } from '../../server/src/model/index.js';
import { ingest } from '../../server/src/pipeline/reconciler/event-ingest.js';
import type { Lease } from '../../server/src/pipeline/reconciler/lease.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { Changes } from '../../server/src/platform/database/watch.js';
import { Product } from '../support/product.js';
import type { Server } from '../support/product.js';
import { ensure, fail, rejection } from '../support/expect.js';

const product = new Product();
let server: Server;
let db: DataSource;
let changes: Changes;

beforeAll(async () => {
  server = await product.start();
  db = await openDatabase({ url: product.databaseUrl, entities, migrations });
  changes = new Changes(product.databaseUrl);
});
afterAll(async () => {
  await changes.onApplicationShutdown();
  await db.destroy();
  await product.close();
});

/** A paused run with a dpo stage and attempts that report to it; nothing takes it up. */
async function storedRun(
  name: string,
): Promise<{ runId: string; stageId: string; attempt: () => Promise<(events: JobEvent[]) => Promise<void>> }> {
  const { recipe } = ((await server.get('/api/presets')) as { presets: { name: string; recipe: object }[] }).presets[0] ?? fail();
  const [runId, stageId] = [randomUUID(), randomUUID()];
  const state = RunState.RUN_STATE_PAUSED;
  await db.manager.insert(RunEntity, { id: runId, name, state, recipe, recipeDigest: runId, createdAt: new Date() });
  await db.manager.insert(RunInputEntity, {
    ...{ runId, position: 0, role: 'images', datasetId: randomUUID(), datasetName: 'pictures', versionId: randomUUID() },
    ...{ digest: 'd'.repeat(64), items: 9, skipped: 1 },
  });
  const lease: Lease = { stageId, runId, owner: 'me', epoch: 1 };
  await db.manager.insert(StageEntity, {
    ...{ id: stageId, runId, position: 0, kind: StageKind.STAGE_KIND_DPO, state: StageState.STAGE_STATE_PAUSED, after: [] },
    ...{ leaseOwner: 'me', leaseExpiresAt: new Date(Date.now() + 600_000), epoch: 1 },
  });
  let number = 0;
  const attempt = async (): Promise<(events: JobEvent[]) => Promise<void>> => {
    const id = randomUUID();
    number += 1;
    await db.manager.insert(AttemptEntity, { id, stageId, number, state: JobState.JOB_STATE_RUNNING, trainer: 'host:1' });
    let seq = 0n;
    return async (events) => {
      await ingest(
        db,
        changes,
        lease,
        id,
        events.map((event) => ({ ...event, seq: (seq += 1n) })),
      );
    };
  };
  return { runId, stageId, attempt };
}

const metric = (name: string, step: number, value: number): JobEvent =>
  JobEvent.fromPartial({ event: { $case: 'metric', value: { name, step, value } } });
const logged = (level: string, message: string): JobEvent => JobEvent.fromPartial({ event: { $case: 'log', value: { level, message } } });
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

async function seriesOf(runId: string, query: string): Promise<MetricSeries[]> {
  return ListMetricsResponse.fromJSON(await server.get(`/api/runs/${runId}/metrics?${query}`)).series;
}

test('a list holds rows without recipe, attempts and files unless it is asked for all; a run holds all unless it is not', async () => {
  const { runId, stageId, attempt } = await storedRun('listed');
  await (
    await attempt()
  )([logged('info', 'x')]);
  const [{ id: attemptId } = { id: '' }] = await db.manager.findBy(AttemptEntity, { stageId });
  await db.manager.insert(ArtifactEntity, {
    ...{ attemptId, runId, stageId, seq: '9', name: 'f', kind: 'ARTIFACT_KIND_BLOB' as never, sha256: 'a'.repeat(64), bytes: '1' },
    ...{ mediaType: '', items: 0, metadata: {} },
  });
  const listed = async (query: string): Promise<Run> => {
    const { runs } = ListRunsResponse.fromJSON(await server.get(`/api/runs${query}`));
    return runs.find((run) => run.id === runId) ?? fail(query);
  };
  const got = async (query: string): Promise<Run> => Run.fromJSON(await server.get(`/api/runs/${runId}${query}`));
  const full = await got('');
  expect([full.stages[0]?.attempts.length, full.stages[0]?.artifacts.length]).toStrictEqual([1, 1]);
  expect([full.recipe?.preset, full.recipe?.model?.path]).toStrictEqual([full.preset, full.modelPath]);
  expect(full.preset).toBe('paper');
  expect(await listed('?view=RUN_VIEW_FULL')).toStrictEqual(full);
  const basic = await listed('');
  expect(await got('?view=RUN_VIEW_BASIC')).toStrictEqual(basic);
  expect([basic.recipe, basic.differences, basic.stages.flatMap(({ attempts, artifacts }) => [...attempts, ...artifacts])]).toStrictEqual([
    undefined,
    [],
    [],
  ]);
  for (const field of ['name', 'state', 'preset', 'modelPath', 'createdAt', 'skipped', 'etaSeconds', 'waiting', 'outcome'] as const) {
    expect(basic[field], field).toStrictEqual(full[field]);
  }
  expect([basic.stages[0]?.kind, basic.stages[0]?.state]).toStrictEqual([StageKind.STAGE_KIND_DPO, StageState.STAGE_STATE_PAUSED]);
  expect([basic.inputs[0]?.role, basic.inputs[0]?.datasetName, basic.inputs[0]?.items]).toStrictEqual(['images', 'pictures', 9]);
});

test('a queued run has its position by priority, then age; one that is not has none', async () => {
  const queued: string[] = [];
  for (const priority of [0, 5, 0]) {
    const { runId } = await storedRun('queued');
    await db.manager.update(RunEntity, runId, { state: RunState.RUN_STATE_QUEUED, priority });
    queued.push(runId);
  }
  const { runs } = ListRunsResponse.fromJSON(await server.get('/api/runs?state=RUN_STATE_QUEUED'));
  expect(queued.map((id) => runs.find((run) => run.id === id)?.queuePosition)).toStrictEqual([2, 1, 3]);
  const alone = queued.map(async (id) => Run.fromJSON(await server.get(`/api/runs/${id}`)).queuePosition);
  expect(await Promise.all(alone)).toStrictEqual([2, 1, 3]);
  await db.manager.update(RunEntity, queued, { state: RunState.RUN_STATE_PAUSED });
  expect(Run.fromJSON(await server.get(`/api/runs/${queued[0] ?? ''}`)).queuePosition).toBe(0);
});

test('a long series keeps its extremes and its ends, from its rollups as from its points', async () => {
  const { runId, attempt } = await storedRun('long');
  const report = await attempt();
  const value = (step: number): number => (step === 777 ? 99 : step === 3_210 ? -99 : Math.sin(step));
  for (const from of [0, 2_000]) await report(range(from, from + 2_000).map((step) => metric('dpo/loss', step, value(step))));
  await report(range(0, 40).map((step) => metric('rewards/margins', step, step)));
  for (const maxPoints of [20, 100, 3_000, 10_000]) {
    const [loss, margin, ...more] = await seriesOf(runId, `max_points=${maxPoints}`);
    ensure(loss);
    ensure(margin);
    expect(more).toHaveLength(0);
    expect([loss.name, loss.stage, loss.points]).toStrictEqual(['dpo/loss', StageKind.STAGE_KIND_DPO, 4_000n]);
    expect(loss.steps.length, `${loss.steps.length}`).toBeLessThanOrEqual(maxPoints);
    expect(loss.steps.length, `${loss.steps.length}`).toBeGreaterThanOrEqual(Math.min(4_000, maxPoints) / 4);
    expect([loss.steps[0], loss.steps.at(-1)]).toStrictEqual([0, 3_999]);
    expect([Math.max(...loss.values), Math.min(...loss.values)]).toStrictEqual([99, -99]);
    loss.steps.forEach((step, index) => expect(loss.values[index], `step ${step}`).toBe(value(step)));
    expect(loss.steps).toStrictEqual([...loss.steps].sort((a, b) => a - b));
    if (maxPoints >= 100) expect(margin.steps, 'a short series is whole').toStrictEqual(range(0, 40));
  }
  const [only, ...others] = await seriesOf(runId, 'max_points=10&names=rewards/margins');
  expect([only?.name, others]).toStrictEqual(['rewards/margins', []]);
  expect(await seriesOf(runId, 'max_points=10&stages=STAGE_KIND_SFT')).toStrictEqual([]);
  const page = ListMetricsResponse.fromJSON(await server.get(`/api/runs/${runId}/metrics?names=rewards/margins`));
  expect([page.metrics.length, page.more]).toStrictEqual([40, false]);
  const refused = await server.call('GET', `/api/runs/${runId}/metrics?max_points=3`);
  expect(refused.status).toBe(400);
});

test('of a resumed series the last attempt that reached a step is seen, downsampled or not', async () => {
  const { runId, attempt } = await storedRun('resumed');
  const first = await attempt();
  await first(range(0, 1_000).map((step) => metric('dpo/loss', step, 1)));
  const second = await attempt();
  await second(range(700, 2_000).map((step) => metric('dpo/loss', step, 2)));
  for (const maxPoints of [40, 4_000]) {
    const [visible, ...more] = await seriesOf(runId, `max_points=${maxPoints}`);
    ensure(visible);
    expect(more).toHaveLength(0);
    visible.steps.forEach((step, index) => expect(visible.values[index], `step ${step} of ${maxPoints}`).toBe(step < 700 ? 1 : 2));
    expect([visible.steps[0], visible.steps.at(-1), visible.attemptId]).toStrictEqual([0, 1_999, '']);
    const all = await seriesOf(runId, `max_points=${maxPoints}&all_attempts=true`);
    expect(all.map(({ steps, values }) => [steps[0], steps.at(-1), new Set(values).size])).toStrictEqual([
      [0, 999, 1],
      [700, 1_999, 1],
    ]);
  }
  const { metrics } = ListMetricsResponse.fromJSON(await server.get(`/api/runs/${runId}/metrics?page_size=5000`));
  expect([metrics.length, metrics.filter(({ point }) => point?.value === 1).length]).toStrictEqual([2_000, 700]);
});

test('log lines are found by severity, text and stage, from the start or from the end', async () => {
  const { runId, attempt } = await storedRun('logs');
  const report = await attempt();
  await report(range(0, 50).map((index) => logged(index % 10 === 0 ? 'warning' : 'info', `Step ${index} of 100%`)));
  await report([logged('error', 'it broke')]);
  const lines = async (query: string): Promise<string[]> => {
    const { logs } = ListLogsResponse.fromJSON(await server.get(`/api/runs/${runId}/logs?${query}`));
    return logs.map(({ line }) => line?.message ?? '');
  };
  expect(await lines('page_size=1000')).toHaveLength(51);
  expect(await lines('level=warning')).toHaveLength(6);
  expect(await lines('level=error')).toStrictEqual(['it broke']);
  expect(await lines('search=STEP 4 of'), 'in any case, and no character is a wildcard').toStrictEqual(['Step 4 of 100%']);
  expect(await lines('search=_')).toStrictEqual([]);
  expect(await lines('tail=2')).toStrictEqual(['Step 49 of 100%', 'it broke']);
  expect(await lines('tail=2&level=warning')).toStrictEqual(['Step 40 of 100%', 'it broke']);
  expect(await lines('stages=STAGE_KIND_SFT')).toStrictEqual([]);
  const { nextCursor } = ListLogsResponse.fromJSON(await server.get(`/api/runs/${runId}/logs?tail=1`));
  await report([logged('info', 'after')]);
  expect(await lines(`cursor=${nextCursor}`), 'a reader of the end goes on from there').toStrictEqual(['after']);
  expect((await server.call('GET', `/api/runs/${runId}/logs?level=loud`)).status).toBe(400);
});

test('a server that stops ends streams with UNAVAILABLE, as what is watched goes on', async () => {
  const { runId } = await storedRun('watched');
  const stopped = await product.start({
    STIC_STATE: `${product.folder}/second`,
    DATABASE_URL: product.databaseUrl,
    TRAINERS: '127.0.0.1:1',
  });
  const client = grpcClient(RunServiceDefinition, stopped.grpc, credentials.createInsecure());
  const stream = client.watchRun({ runId })[Symbol.asyncIterator]();
  await stream.next();
  const response = await fetch(`${stopped.url}/api/runs/${runId}/watch`);
  const text = response.text();
  const ended = rejection(
    (async () => {
      for (;;) if ((await stream.next()).done) return;
    })(),
  );
  await stopped.stop();
  expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
  expect(await text).toMatch(/event: update\n[^\n]*\n\nevent: error\ndata: \{[^\n]*"code":"UNAVAILABLE"/);
  client.close();
});
