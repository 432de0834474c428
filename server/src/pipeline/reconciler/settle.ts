import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Recipe } from '../../gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '../../gen/stic/runs/v1/runs.js';
import { JobError, JobState } from '../../gen/stic/trainer/v1/trainer.js';
import type { Artifact } from '../../gen/stic/trainer/v1/trainer.js';
import { ArtifactEntity, AttemptEntity, CheckpointEntity, RunEntity, StageEntity } from '../entities/index.js';
import { graph, nodeOf } from '../graph.js';
import type { Ending, Verdict } from './decide.js';
import { verdictOf } from './decide.js';
import { trainingWarnings } from './warnings.js';

/**
 * Ends an attempt and does what follows from it for stage, run and later stages, all in the caller's transaction. The caller
 * holds the run's and the stage's row locks.
 */
export async function settleAttempt(manager: EntityManager, attempt: AttemptEntity, ending: Ending): Promise<void> {
  const stage = await manager.findOneByOrFail(StageEntity, { id: attempt.stageId });
  const run = await manager.findOneByOrFail(RunEntity, { id: stage.runId });
  await manager.update(AttemptEntity, attempt.id, {
    state: ending.state,
    error: ending.error ? (JobError.toJSON(ending.error) as object) : null,
    unreachableSince: null,
    endedAt: new Date(),
  });
  await apply(manager, run, stage, attempt, verdictOf(ending, attempt.number, run.cancelRequestedAt !== null));
}

async function apply(manager: EntityManager, run: RunEntity, stage: StageEntity, attempt: AttemptEntity, verdict: Verdict): Promise<void> {
  switch (verdict.stage) {
    case 'succeeded':
      return succeed(manager, run, stage, attempt);
    case 'cancelled':
      return cancelRun(manager, run.id);
    case 'failed':
      return failRun(manager, run.id, stage.id, verdict.error);
    case 'retry':
      await manager.query(
        `UPDATE stage SET state = $2, not_before = now() + $3 * interval '1 millisecond', lease_owner = NULL, lease_expires_at = NULL WHERE id = $1`,
        [stage.id, StageState.STAGE_STATE_READY, verdict.delayMs],
      );
  }
}

async function succeed(manager: EntityManager, run: RunEntity, stage: StageEntity, attempt: AttemptEntity): Promise<void> {
  const made = await manager.findBy(ArtifactEntity, { attemptId: attempt.id });
  const missing = owed(stage).find((name) => !made.some((artifact) => artifact.name === name));
  if (missing !== undefined) return failRun(manager, run.id, stage.id, withoutArtifact(missing));
  await endStages(manager, [stage.id], StageState.STAGE_STATE_SUCCEEDED, null);
  await keepCheckpoint(manager, run, stage, attempt, made);
  const warnings = await trainingWarnings(manager, stage.kind, attempt.id);
  if (warnings.length > 0) await manager.update(RunEntity, run.id, { warnings: [...run.warnings, ...warnings] });
  if (run.cancelRequestedAt !== null) return cancelRun(manager, run.id);
  await goOn(manager, run.id);
}

/** Names of artifacts that later stages of the graph read from this one. */
function owed(stage: StageEntity): string[] {
  const read = graph
    .flatMap((node) => node.inputs)
    .flatMap((source) => (source.from === 'artifact' && source.stage === stage.kind ? [source.name] : []));
  return [...new Set(read)];
}

function withoutArtifact(name: Artifact['name']): JobError {
  return JobError.fromPartial({ code: 'INTERNAL', message: `The stage ended without its artifact "${name}".`, subject: name });
}

async function keepCheckpoint(
  manager: EntityManager,
  run: RunEntity,
  stage: StageEntity,
  attempt: AttemptEntity,
  made: readonly ArtifactEntity[],
): Promise<void> {
  const name = nodeOf(stage.kind).checkpoint;
  const adapter = made.findLast((artifact) => artifact.name === 'adapter');
  if (name === undefined || !adapter) return;
  const parent = name === 'stage2' ? await manager.findOneBy(CheckpointEntity, { runId: run.id, name: 'stage1' }) : null;
  const model = Recipe.fromJSON(run.recipe).model;
  await manager.insert(CheckpointEntity, {
    id: randomUUID(),
    runId: run.id,
    attemptId: attempt.id,
    name,
    adapterSha256: adapter.sha256,
    bytes: adapter.bytes,
    baseModelPath: model?.path ?? '',
    baseModelDigest: model?.digest ?? '',
    templateHash: model?.templateHash ?? '',
    parentId: parent?.id ?? null,
    createdAt: new Date(),
  });
}

/** Readies the stages whose needs are met; when every stage has succeeded, so has the run. */
async function goOn(manager: EntityManager, runId: string): Promise<void> {
  const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
  const done = new Set(stages.filter((stage) => stage.state === StageState.STAGE_STATE_SUCCEEDED).map((stage) => stage.kind));
  for (const stage of stages) {
    if (stage.state === StageState.STAGE_STATE_PENDING && stage.after.every((kind) => done.has(kind))) {
      await manager.update(StageEntity, stage.id, { state: StageState.STAGE_STATE_READY });
    }
  }
  if (done.size === stages.length) await endRun(manager, runId, RunState.RUN_STATE_SUCCEEDED, null);
}

async function failRun(manager: EntityManager, runId: string, stageId: string, error: JobError): Promise<void> {
  const json = JobError.toJSON(error) as object;
  await endStages(manager, [stageId], StageState.STAGE_STATE_FAILED, json);
  await endStages(manager, await unfinished(manager, runId), StageState.STAGE_STATE_SKIPPED, null);
  await endRun(manager, runId, RunState.RUN_STATE_FAILED, json);
}

/**
 * Ends a run that has been asked to stop: stages that had started are CANCELLED, the others SKIPPED, and whoever leases one is
 * fenced off. The caller has made sure that no attempt is open and holds the run's row lock.
 */
export async function cancelRun(manager: EntityManager, runId: string): Promise<void> {
  const stages = await manager.findBy(StageEntity, { runId });
  const isOpen = (stage: StageEntity): boolean =>
    stage.state === StageState.STAGE_STATE_RUNNING || stage.state === StageState.STAGE_STATE_READY;
  await endStages(
    manager,
    stages.filter(isOpen).map((stage) => stage.id),
    StageState.STAGE_STATE_CANCELLED,
    null,
  );
  await endStages(manager, await unfinished(manager, runId), StageState.STAGE_STATE_SKIPPED, null);
  await endRun(manager, runId, RunState.RUN_STATE_CANCELLED, null);
}

/** True while a trainer may be working on the run. */
export async function hasOpenAttempt(manager: EntityManager, runId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT 1 FROM attempt JOIN stage ON stage.id = attempt.stage_id WHERE stage.run_id = $1 AND attempt.ended_at IS NULL LIMIT 1`,
    [runId],
  );
  return rows.length > 0;
}

async function unfinished(manager: EntityManager, runId: string): Promise<string[]> {
  const open = [StageState.STAGE_STATE_PENDING, StageState.STAGE_STATE_READY, StageState.STAGE_STATE_RUNNING];
  const rows = await manager.query<{ id: string }[]>('SELECT id FROM stage WHERE run_id = $1 AND state = ANY($2)', [runId, open]);
  return rows.map((row) => row.id);
}

async function endStages(manager: EntityManager, ids: readonly string[], state: StageState, error: object | null): Promise<void> {
  await manager.query(
    `UPDATE stage SET state = $2, error = $3, lease_owner = NULL, lease_expires_at = NULL, epoch = epoch + 1,
       ended_at = CASE WHEN $2 = 'STAGE_STATE_SKIPPED' THEN NULL ELSE now() END
     WHERE id = ANY($1)`,
    [ids, state, error === null ? null : JSON.stringify(error)],
  );
}

async function endRun(manager: EntityManager, runId: string, state: RunState, error: object | null): Promise<void> {
  await manager.query('UPDATE run SET state = $2, error = $3, ended_at = now() WHERE id = $1', [
    runId,
    state,
    error === null ? null : JSON.stringify(error),
  ]);
}

/** Whether this ends an attempt. */
export function isTerminal(state: JobState): boolean {
  return (
    state === JobState.JOB_STATE_SUCCEEDED ||
    state === JobState.JOB_STATE_FAILED ||
    state === JobState.JOB_STATE_CANCELLED ||
    state === JobState.JOB_STATE_LOST
  );
}
