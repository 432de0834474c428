import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Recipe, type RetryConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobError } from '@stic/api/gen/stic/common/v1/common.js';
import type { Artifact } from '@stic/api/gen/stic/common/v1/common.js';
import { ArtifactEntity, AttemptEntity, CheckpointEntity, RunEntity, StageEntity } from '../../model/index.js';
import { graph, nodeOf } from '../../model/graph.js';
import type { Ending, Verdict } from './decide.js';
import { stopAsked, verdictOf } from './decide.js';
import { goOn } from './advance-run.js';
import { endStages, failRun, stopRun } from './run-transitions.js';
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
  const faults = stage.faults + 1;
  await apply(manager, run, stage, attempt, verdictOf(ending, faults, retryOf(run), stopAsked(run)));
}

async function apply(manager: EntityManager, run: RunEntity, stage: StageEntity, attempt: AttemptEntity, verdict: Verdict): Promise<void> {
  switch (verdict.stage) {
    case 'succeeded':
      return succeed(manager, run, stage, attempt);
    case 'cancelled':
      return stopRun(manager, run.id, 'cancel');
    case 'paused':
      return stopRun(manager, run.id, 'pause');
    case 'failed':
      return failRun(manager, run.id, stage.id, verdict.error);
    case 'retry':
      await manager.query(
        `UPDATE stage SET state = $2, faults = faults + 1, not_before = now() + $3 * interval '1 millisecond',
           lease_owner = NULL, lease_expires_at = NULL
         WHERE id = $1`,
        [stage.id, StageState.STAGE_STATE_READY, verdict.delayMs],
      );
  }
}

/** How often a stage is tried; a recipe from before there was a choice says nothing. */
function retryOf(run: RunEntity): RetryConfig {
  return Recipe.fromJSON(run.recipe).retry ?? { maxAttempts: 3, backoffSeconds: 1 };
}

/** What follows from a stage's success. The attempt's artifacts are stored. */
export async function succeed(manager: EntityManager, run: RunEntity, stage: StageEntity, attempt: AttemptEntity): Promise<void> {
  const made = await manager.findBy(ArtifactEntity, { attemptId: attempt.id });
  const missing = owed(stage).find((name) => !made.some((artifact) => artifact.name === name));
  if (missing !== undefined) {
    await manager.update(AttemptEntity, attempt.id, { key: null });
    return failRun(manager, run.id, stage.id, withoutArtifact(missing));
  }
  await endStages(manager, [stage.id], StageState.STAGE_STATE_SUCCEEDED, null);
  await keepCheckpoint(manager, run, stage, attempt, made);
  const warnings = await trainingWarnings(manager, stage.kind, attempt.id);
  if (warnings.length > 0) await manager.update(RunEntity, run.id, { warnings: [...run.warnings, ...warnings] });
  const stop = stopAsked(run);
  if (stop === 'cancel') return stopRun(manager, run.id, stop);
  const over = await goOn(manager, run.id);
  if (stop === 'pause' && !over) await stopRun(manager, run.id, stop);
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
  const { model, startFrom } = Recipe.fromJSON(run.recipe);
  const parent =
    name === 'stage2'
      ? await manager.findOneBy(CheckpointEntity, { runId: run.id, name: 'stage1' })
      : startFrom && startFrom.checkpointId !== ''
        ? await manager.findOneBy(CheckpointEntity, { id: startFrom.checkpointId })
        : null;
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
