import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { type GateConfig, Recipe, StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { AttemptEntity, CheckpointEntity, EvaluationEntity, RunEntity, RunInputEntity, StageEntity } from '../../server/src/model/index.js';
import { wholeJson } from '../../server/src/recipe/fields.js';
import { openGate } from '../../server/src/registry/index.js';

/** Candidate against champion on a benchmark, headline metric, plain mode. */
export type Compared = { benchmark: string; value: number; difference: number; low: number; high: number };

export type GatedRun = { run: RunEntity; checkpointId: string; stageId: string; attemptId: string };

const model = { path: '/models/llava', digest: 'd'.repeat(64), architecture: '', templateHash: '' };

/** A run with a gate whose evaluation is about to end, as the reconciler leaves it: the champion is fixed, the figures are there. */
export async function gatedRun(manager: EntityManager, name: string, gate: Partial<GateConfig>, cells: Compared[]): Promise<GatedRun> {
  const [runId, checkpointId, stageId, attemptId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const config = { alias: 'champion', maxDrop: 1, minMeanGain: 0.5, requireApproval: false, ...gate };
  const run = manager.create(RunEntity, {
    id: runId,
    name,
    state: RunState.RUN_STATE_RUNNING,
    recipe: wholeJson(Recipe.fromPartial({ preset: 'paper', seed: 42, model, gate: config })) as object,
    recipeDigest: 'e'.repeat(64),
    warnings: [],
    createdAt: new Date(),
  });
  await manager.insert(RunEntity, run);
  const lease = { epoch: 1, leaseOwner: 'me', leaseExpiresAt: new Date(Date.now() + 600_000) };
  const stage = { id: stageId, runId, position: 0, kind: StageKind.STAGE_KIND_EVALUATE, state: StageState.STAGE_STATE_RUNNING, after: [] };
  await manager.insert(StageEntity, { ...stage, ...lease });
  const facts = { commit: 'c0ffee'.padEnd(40, '0') };
  await manager.insert(AttemptEntity, { id: attemptId, stageId, number: 1, state: JobState.JOB_STATE_RUNNING, trainer: 'host:1', facts });
  await manager.insert(CheckpointEntity, {
    id: checkpointId,
    runId,
    attemptId,
    name: 'stage1',
    adapterSha256: runId.replaceAll('-', '').repeat(2),
    bytes: '1000',
    baseModelPath: model.path,
    baseModelDigest: model.digest,
    templateHash: '',
    parentId: null,
    createdAt: new Date(),
  });
  await openGate(manager, run);
  const [{ count } = { count: '0' }] = await manager.query<{ count: string }[]>(
    'SELECT count(*) FROM alias WHERE checkpoint_id IS NOT NULL',
  );
  const versus = count === '0' ? '' : 'champion';
  for (const [position, cell] of cells.entries()) {
    const input = {
      datasetName: cell.benchmark,
      datasetId: randomUUID(),
      versionId: randomUUID(),
      digest: 'b'.repeat(64),
      items: 100,
      skipped: 0,
    };
    await manager.insert(RunInputEntity, { runId, position, role: 'benchmark', benchmark: cell.benchmark, ...input });
    const headline = { metric: 'accuracy', primary: true, higherIsBetter: true, subject: 'stage1', mode: 'plain', n: 100, majority: -1 };
    const row = { id: randomUUID(), runId, checkpointId, seq: String(position), versus, createdAt: new Date(), ...headline, ...cell };
    await manager.insert(EvaluationEntity, row);
  }
  return { run, checkpointId, stageId, attemptId };
}

/** A run that has ended, with one checkpoint; the checkpoint's id. */
export async function endedRun(manager: EntityManager, name: string, adapterSha256: string, createdAt: Date): Promise<string> {
  const [runId, stageId, attemptId, id] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const state = RunState.RUN_STATE_SUCCEEDED;
  await manager.insert(RunEntity, { id: runId, name, state, recipe: {}, recipeDigest: '', createdAt, endedAt: createdAt });
  const stage = { id: stageId, runId, position: 0, kind: StageKind.STAGE_KIND_DPO, state: StageState.STAGE_STATE_SUCCEEDED, after: [] };
  await manager.insert(StageEntity, stage);
  const attempt = { id: attemptId, stageId, number: 1, state: JobState.JOB_STATE_SUCCEEDED, trainer: 'host:1', endedAt: createdAt };
  await manager.insert(AttemptEntity, attempt);
  await manager.insert(CheckpointEntity, {
    ...{ id, runId, attemptId, name: 'stage1', adapterSha256, bytes: '5', baseModelPath: model.path, baseModelDigest: model.digest },
    ...{ templateHash: '', parentId: null, createdAt },
  });
  return id;
}
