import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
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

const product = new Product();
let server: Server;
let db: DataSource;
let changes: Changes;

before(async () => {
  server = await product.start();
  db = await openDatabase({ url: product.databaseUrl, entities, migrations });
  changes = new Changes(product.databaseUrl);
});
after(async () => {
  await changes.onApplicationShutdown();
  await db.destroy();
  await product.close();
});

/** A paused run with a dpo stage and attempts that report to it; nothing takes it up. */
async function storedRun(
  name: string,
): Promise<{ runId: string; stageId: string; attempt: () => Promise<(events: JobEvent[]) => Promise<void>> }> {
  const { recipe } = ((await server.get('/api/presets')) as { presets: { name: string; recipe: object }[] }).presets[0] ?? assert.fail();
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
    return runs.find((run) => run.id === runId) ?? assert.fail(query);
  };
  const got = async (query: string): Promise<Run> => Run.fromJSON(await server.get(`/api/runs/${runId}${query}`));
  const full = await got('');
  assert.deepEqual([full.stages[0]?.attempts.length, full.stages[0]?.artifacts.length], [1, 1]);
  assert.deepEqual([full.recipe?.preset, full.recipe?.model?.path], [full.preset, full.modelPath]);
  assert.equal(full.preset, 'paper');
  assert.deepEqual(await listed('?view=RUN_VIEW_FULL'), full);
  const basic = await listed('');
  assert.deepEqual(await got('?view=RUN_VIEW_BASIC'), basic);
  assert.deepEqual(
    [basic.recipe, basic.differences, basic.stages.flatMap(({ attempts, artifacts }) => [...attempts, ...artifacts])],
    [undefined, [], []],
  );
  for (const field of ['name', 'state', 'preset', 'modelPath', 'createdAt', 'skipped', 'etaSeconds', 'waiting', 'outcome'] as const) {
    assert.deepEqual(basic[field], full[field], field);
  }
  assert.deepEqual([basic.stages[0]?.kind, basic.stages[0]?.state], [StageKind.STAGE_KIND_DPO, StageState.STAGE_STATE_PAUSED]);
  assert.deepEqual([basic.inputs[0]?.role, basic.inputs[0]?.datasetName, basic.inputs[0]?.items], ['images', 'pictures', 9]);
});

test('a queued run has its position by priority, then age; one that is not has none', async () => {
  const queued: string[] = [];
  for (const priority of [0, 5, 0]) {
    const { runId } = await storedRun('queued');
    await db.manager.update(RunEntity, runId, { state: RunState.RUN_STATE_QUEUED, priority });
    queued.push(runId);
  }
  const { runs } = ListRunsResponse.fromJSON(await server.get('/api/runs?state=RUN_STATE_QUEUED'));
  assert.deepEqual(
    queued.map((id) => runs.find((run) => run.id === id)?.queuePosition),
    [2, 1, 3],
  );
  const alone = queued.map(async (id) => Run.fromJSON(await server.get(`/api/runs/${id}`)).queuePosition);
  assert.deepEqual(await Promise.all(alone), [2, 1, 3]);
  await db.manager.update(RunEntity, queued, { state: RunState.RUN_STATE_PAUSED });
  assert.equal(Run.fromJSON(await server.get(`/api/runs/${queued[0] ?? ''}`)).queuePosition, 0);
});

test('a long series keeps its extremes and its ends, from its rollups as from its points', async () => {
  const { runId, attempt } = await storedRun('long');
  const report = await attempt();
  const value = (step: number): number => (step === 777 ? 99 : step === 3_210 ? -99 : Math.sin(step));
  for (const from of [0, 2_000]) await report(range(from, from + 2_000).map((step) => metric('dpo/loss', step, value(step))));
  await report(range(0, 40).map((step) => metric('rewards/margins', step, step)));
  for (const maxPoints of [20, 100, 3_000, 10_000]) {
    const [loss, margin, ...more] = await seriesOf(runId, `max_points=${maxPoints}`);
    assert.ok(loss && margin && more.length === 0);
    assert.deepEqual([loss.name, loss.stage, loss.points], ['dpo/loss', StageKind.STAGE_KIND_DPO, 4_000n]);
    assert.ok(loss.steps.length <= maxPoints && loss.steps.length >= Math.min(4_000, maxPoints) / 4, `${loss.steps.length}`);
    assert.deepEqual([loss.steps[0], loss.steps.at(-1)], [0, 3_999]);
    assert.deepEqual([Math.max(...loss.values), Math.min(...loss.values)], [99, -99]);
    loss.steps.forEach((step, index) => assert.equal(loss.values[index], value(step), `step ${step}`));
    assert.deepEqual(
      loss.steps,
      [...loss.steps].sort((a, b) => a - b),
    );
    if (maxPoints >= 100) assert.deepEqual(margin.steps, range(0, 40), 'a short series is whole');
  }
  const [only, ...others] = await seriesOf(runId, 'max_points=10&names=rewards/margins');
  assert.deepEqual([only?.name, others], ['rewards/margins', []]);
  assert.deepEqual(await seriesOf(runId, 'max_points=10&stages=STAGE_KIND_SFT'), []);
  const page = ListMetricsResponse.fromJSON(await server.get(`/api/runs/${runId}/metrics?names=rewards/margins`));
  assert.deepEqual([page.metrics.length, page.more], [40, false]);
  const refused = await server.call('GET', `/api/runs/${runId}/metrics?max_points=3`);
  assert.equal(refused.status, 400);
});

test('of a resumed series the last attempt that reached a step is seen, downsampled or not', async () => {
  const { runId, attempt } = await storedRun('resumed');
  const first = await attempt();
  await first(range(0, 1_000).map((step) => metric('dpo/loss', step, 1)));
  const second = await attempt();
  await second(range(700, 2_000).map((step) => metric('dpo/loss', step, 2)));
  for (const maxPoints of [40, 4_000]) {
    const [visible, ...more] = await seriesOf(runId, `max_points=${maxPoints}`);
    assert.ok(visible && more.length === 0);
    visible.steps.forEach((step, index) => assert.equal(visible.values[index], step < 700 ? 1 : 2, `step ${step} of ${maxPoints}`));
    assert.deepEqual([visible.steps[0], visible.steps.at(-1), visible.attemptId], [0, 1_999, '']);
    const all = await seriesOf(runId, `max_points=${maxPoints}&all_attempts=true`);
    assert.deepEqual(
      all.map(({ steps, values }) => [steps[0], steps.at(-1), new Set(values).size]),
      [
        [0, 999, 1],
        [700, 1_999, 1],
      ],
    );
  }
  const { metrics } = ListMetricsResponse.fromJSON(await server.get(`/api/runs/${runId}/metrics?page_size=5000`));
  assert.deepEqual([metrics.length, metrics.filter(({ point }) => point?.value === 1).length], [2_000, 700]);
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
  assert.equal((await lines('page_size=1000')).length, 51);
  assert.equal((await lines('level=warning')).length, 6);
  assert.deepEqual(await lines('level=error'), ['it broke']);
  assert.deepEqual(await lines('search=STEP 4 of'), ['Step 4 of 100%'], 'in any case, and no character is a wildcard');
  assert.deepEqual(await lines('search=_'), []);
  assert.deepEqual(await lines('tail=2'), ['Step 49 of 100%', 'it broke']);
  assert.deepEqual(await lines('tail=2&level=warning'), ['Step 40 of 100%', 'it broke']);
  assert.deepEqual(await lines('stages=STAGE_KIND_SFT'), []);
  const { nextCursor } = ListLogsResponse.fromJSON(await server.get(`/api/runs/${runId}/logs?tail=1`));
  await report([logged('info', 'after')]);
  assert.deepEqual(await lines(`cursor=${nextCursor}`), ['after'], 'a reader of the end goes on from there');
  assert.equal((await server.call('GET', `/api/runs/${runId}/logs?level=loud`)).status, 400);
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
  const ended = assert.rejects(
    async () => {
      for (;;) if ((await stream.next()).done) return;
    },
    (error: ServiceError) => error.code === status.UNAVAILABLE,
  );
  await stopped.stop();
  await ended;
  assert.match(await text, /event: update\n[^\n]*\n\nevent: error\ndata: \{[^\n]*"code":"UNAVAILABLE"/);
  client.close();
});
