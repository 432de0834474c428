import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { type JobEvent } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import {
  AttemptEntity,
  CheckpointEntity,
  MetricPointEntity,
  RunEntity,
  SkippedItemEntity,
  StageEntity,
} from '../../server/src/model/index.js';
import { needs, plan } from '../../server/src/model/graph.js';
import { resumeRun } from '../../server/src/pipeline/reconciler/retry.js';
import { ingest } from '../../server/src/pipeline/reconciler/event-ingest.js';
import { claimOpen, claimReady, fenced, LeaseLost, release, renew, waitingStages } from '../../server/src/pipeline/reconciler/lease.js';
import type { Lease } from '../../server/src/pipeline/reconciler/lease.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { Changes } from '../../server/src/platform/database/watch.js';
import { ensure } from '../support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-p-'));
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let db: DataSource;
let changes: Changes;

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state'), binaries: undefined });
  db = await openDatabase({ url: postgres.url, entities, migrations });
  changes = new Changes(postgres.url);
});
afterAll(async () => {
  await changes.onApplicationShutdown();
  await db.destroy();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run without instructions whose dpo stage has an open attempt. */
async function training(): Promise<{ lease: Lease; attemptId: string; runId: string }> {
  const runId = randomUUID();
  await db.manager.insert(RunEntity, {
    id: runId,
    name: 'r',
    state: RunState.RUN_STATE_RUNNING,
    recipe: {},
    recipeDigest: '',
    createdAt: new Date(),
  });
  const planned = plan(['images']);
  const states = [StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_RUNNING, StageState.STAGE_STATE_PENDING];
  const stages = planned.map((node, position) => {
    const state = states[position] ?? StageState.STAGE_STATE_PENDING;
    return { id: randomUUID(), runId, position, kind: node.kind, state, after: needs(node, planned) };
  });
  await db.manager.insert(StageEntity, stages);
  const attemptId = randomUUID();
  await db.manager.insert(AttemptEntity, {
    id: attemptId,
    stageId: stages[1]?.id ?? '',
    number: 1,
    state: JobState.JOB_STATE_RUNNING,
    trainer: 'host:1',
  });
  const lease = (await claimOpen(db, 'me')).find((one) => one.runId === runId);
  ensure(lease);
  return { lease, attemptId, runId };
}

const event = (seq: number, content: JobEvent['event']): JobEvent => ({ seq: BigInt(seq), at: new Date(), event: content });
const metric = (seq: number, step: number): JobEvent => event(seq, { $case: 'metric', value: { name: 'dpo/loss', step, value: 1 / step } });
const ends = (seq: number, state: JobState): JobEvent =>
  event(seq, { $case: 'state', value: { state, error: undefined, device: '', dtype: '', resumedFromStep: 0, facts: {} } });
const adapter = (seq: number): JobEvent =>
  event(seq, {
    $case: 'artifact',
    value: {
      name: 'adapter',
      kind: ArtifactKind.ARTIFACT_KIND_TREE,
      sha256: 'a'.repeat(64),
      bytes: 9n,
      mediaType: '',
      items: 0,
      metadata: {},
    },
  });

const expire = (lease: Lease): Promise<unknown> =>
  db.query(`UPDATE stage SET lease_expires_at = now() - interval '1 second' WHERE id = $1`, [lease.stageId]);

async function stateOf(runId: string, kind: StageKind): Promise<StageState | undefined> {
  return (await db.manager.findOneBy(StageEntity, { runId, kind }))?.state;
}

test('a repeated, overlapping or late batch changes nothing', async () => {
  const { lease, attemptId } = await training();
  const batch = [metric(1, 1), metric(2, 2), event(3, { $case: 'skipped', value: { name: 'a\0.jpg', code: 'TOO_LONG', reason: 'r' } })];
  await ingest(db, changes, lease, attemptId, batch);
  await ingest(db, changes, lease, attemptId, batch);
  await ingest(db, changes, lease, attemptId, [metric(2, 2), metric(4, 3)]);
  await ingest(db, changes, lease, attemptId, [metric(1, 1)]);
  const points = await db.manager.find(MetricPointEntity, { where: { attemptId }, order: { id: 'ASC' } });
  expect(points.map((point) => [point.seq, point.step])).toStrictEqual([
    ['1', 1],
    ['2', 2],
    ['4', 3],
  ]);
  expect((await db.manager.findOneByOrFail(AttemptEntity, { id: attemptId })).lastSeq).toBe('4');
  expect(await db.manager.countBy(SkippedItemEntity, { stageId: lease.stageId })).toBe(1);
});

test('who has lost the lease cannot write any more', async () => {
  const { lease, attemptId } = await training();
  await expire(lease);
  const [successor] = await claimOpen(db, 'other');
  ensure(successor);
  expect(successor.stageId).toBe(lease.stageId);
  await expect(ingest(db, changes, lease, attemptId, [metric(1, 1)])).rejects.toThrow(LeaseLost);
  await expect(renew(db, lease)).rejects.toThrow(LeaseLost);
  await release(db, lease, new AbortController().signal);
  expect(await renew(db, successor)).toStrictEqual({ stopRequested: false });
  expect(await db.manager.countBy(MetricPointEntity, { attemptId })).toBe(0);
});

test('a held lease is claimed by nobody, and many claimers at once share the work without overlap', async () => {
  const { lease } = await training();
  expect(await claimOpen(db, 'other')).toStrictEqual([]);
  const leases = [];
  for (let count = 0; count < 6; count++) leases.push(await training());
  await Promise.all(leases.map((one) => expire(one.lease)));
  const claims = (await Promise.all(['a', 'b', 'c', 'd'].map((owner) => claimOpen(db, owner)))).flat();
  expect(claims).toHaveLength(6);
  expect(new Set(claims.map((claim) => claim.stageId)).size).toBe(6);
  expect(claims.map((claim) => claim.stageId)).not.toContain(lease.stageId);
  expect(await waitingStages(db, 100), 'nothing waits for a trainer').toStrictEqual([]);
});

test('the end of a stage makes its checkpoint and readies the next one, in one step', async () => {
  const { lease, attemptId, runId } = await training();
  expect(await ingest(db, changes, lease, attemptId, [adapter(1)])).toBe(false);
  expect(await ingest(db, changes, lease, attemptId, [ends(2, JobState.JOB_STATE_SUCCEEDED)])).toBe(true);
  expect(await stateOf(runId, StageKind.STAGE_KIND_DPO)).toBe(StageState.STAGE_STATE_SUCCEEDED);
  expect(await stateOf(runId, StageKind.STAGE_KIND_EVALUATE)).toBe(StageState.STAGE_STATE_READY);
  expect((await db.manager.findBy(CheckpointEntity, { runId })).map((row) => row.name)).toStrictEqual(['stage1']);
  await expect(ingest(db, changes, lease, attemptId, [ends(2, JobState.JOB_STATE_SUCCEEDED)])).rejects.toThrow(LeaseLost);
  expect(await db.manager.countBy(CheckpointEntity, { runId })).toBe(1);
});

test('a stage that ends without its artifact fails, and so does the run', async () => {
  const { lease, attemptId, runId } = await training();
  await ingest(db, changes, lease, attemptId, [ends(1, JobState.JOB_STATE_SUCCEEDED)]);
  const run = await db.manager.findOneByOrFail(RunEntity, { id: runId });
  expect(run.state).toBe(RunState.RUN_STATE_FAILED);
  expect(JSON.stringify(run.error)).toMatch(/without its artifact/);
  expect(await stateOf(runId, StageKind.STAGE_KIND_EVALUATE)).toBe(StageState.STAGE_STATE_SKIPPED);
});

test('a lost attempt makes its stage ready again after a while, under no lease', async () => {
  const { lease, attemptId, runId } = await training();
  await ingest(db, changes, lease, attemptId, [metric(1, 1), ends(2, JobState.JOB_STATE_LOST)]);
  const stage = await db.manager.findOneByOrFail(StageEntity, { id: lease.stageId });
  expect(stage.state).toBe(StageState.STAGE_STATE_READY);
  expect(stage.leaseOwner).toBeNull();
  expect(stage.notBefore?.getTime() ?? 0).toBeGreaterThan(Date.now());
  expect((await db.manager.findOneByOrFail(RunEntity, { id: runId })).state).toBe(RunState.RUN_STATE_RUNNING);
  await expect(fenced(db, lease, () => Promise.resolve())).rejects.toThrow(LeaseLost);
});

test('the end of an attempt of a run that is to stop cancels it, whatever the end was', async () => {
  const { lease, attemptId, runId } = await training();
  await db.manager.update(RunEntity, runId, { cancelRequestedAt: new Date(), state: RunState.RUN_STATE_CANCELLING });
  expect(await renew(db, lease)).toStrictEqual({ stopRequested: true });
  await ingest(db, changes, lease, attemptId, [adapter(1), ends(2, JobState.JOB_STATE_SUCCEEDED)]);
  expect((await db.manager.findOneByOrFail(RunEntity, { id: runId })).state).toBe(RunState.RUN_STATE_CANCELLED);
  expect(await stateOf(runId, StageKind.STAGE_KIND_DPO)).toBe(StageState.STAGE_STATE_SUCCEEDED);
  expect(await stateOf(runId, StageKind.STAGE_KIND_EVALUATE)).toBe(StageState.STAGE_STATE_SKIPPED);
});

test('a pause that meets the end of a stage stops before the next one, and a resume readies it', async () => {
  const { lease, attemptId, runId } = await training();
  await db.manager.update(RunEntity, runId, { pauseRequestedAt: new Date(), state: RunState.RUN_STATE_PAUSING });
  await ingest(db, changes, lease, attemptId, [adapter(1), ends(2, JobState.JOB_STATE_SUCCEEDED)]);
  expect((await db.manager.findOneByOrFail(RunEntity, { id: runId })).state).toBe(RunState.RUN_STATE_PAUSED);
  expect(await stateOf(runId, StageKind.STAGE_KIND_DPO)).toBe(StageState.STAGE_STATE_SUCCEEDED);
  expect(await stateOf(runId, StageKind.STAGE_KIND_EVALUATE)).toBe(StageState.STAGE_STATE_PAUSED);
  const next = await db.manager.findOneByOrFail(StageEntity, { runId, kind: StageKind.STAGE_KIND_EVALUATE });
  const waits = async (): Promise<boolean> => (await waitingStages(db, 100)).some((stage) => stage.id === next.id);
  expect(await waits(), 'a paused run waits for no trainer').toBe(false);
  await db.transaction((manager) => resumeRun(manager, runId));
  const run = await db.manager.findOneByOrFail(RunEntity, { id: runId });
  expect([run.state, run.pauseRequestedAt]).toStrictEqual([RunState.RUN_STATE_QUEUED, null]);
  expect(await waits()).toBe(true);
  expect(await claimReady(db, 'me', [next.id])).toHaveLength(1);
  expect(await waits(), 'who is moved does not wait').toBe(false);
});

test('a stop for a pause is no fault: only faults count towards the limit', async () => {
  const { lease, attemptId, runId } = await training();
  await db.manager.update(RunEntity, runId, { pauseRequestedAt: new Date(), state: RunState.RUN_STATE_PAUSING });
  await ingest(db, changes, lease, attemptId, [metric(1, 1), ends(2, JobState.JOB_STATE_CANCELLED)]);
  const stage = await db.manager.findOneByOrFail(StageEntity, { id: lease.stageId });
  expect([stage.state, stage.faults, stage.leaseOwner]).toStrictEqual([StageState.STAGE_STATE_PAUSED, 0, null]);
});

test('waiting stages come by priority, then by age', async () => {
  const runs: string[] = [];
  for (const priority of [0, 5, 0, -1, 5]) {
    const { runId, lease } = await training();
    await db.manager.update(RunEntity, runId, { priority });
    await db.manager.update(StageEntity, lease.stageId, { state: StageState.STAGE_STATE_READY, leaseOwner: null, leaseExpiresAt: null });
    runs.push(lease.stageId);
  }
  const order = (await waitingStages(db, 100)).map((stage) => runs.indexOf(stage.id)).filter((index) => index >= 0);
  expect(order).toStrictEqual([1, 4, 0, 2, 3]);
});
