import { type EntityManager, IsNull, Not } from 'typeorm';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DomainError, invalid } from '../../platform/errors.js';
import { CheckpointEntity, StageEntity } from '../../model/index.js';
import { nodeOf } from '../../model/graph.js';
import { goOn } from './advance-run.js';

/** Puts a paused run back into the queue, with a fresh number of tries. The caller holds the run's row lock. */
export async function resumeRun(manager: EntityManager, runId: string): Promise<void> {
  await manager.query(`UPDATE stage SET state = $2, faults = 0 WHERE run_id = $1 AND state = $3`, [
    runId,
    StageState.STAGE_STATE_READY,
    StageState.STAGE_STATE_PAUSED,
  ]);
  await requeue(manager, runId);
}

/** Lets a run that has ended without success go on from a stage. The caller holds the run's row lock. */
export async function retryRun(manager: EntityManager, runId: string, from: StageKind): Promise<void> {
  const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
  const again = stagesAgain(stages, from);
  await checkInputs(manager, runId);
  await manager.query(
    `UPDATE stage SET state = $2, key = NULL, faults = 0, error = NULL, progress = NULL, not_before = NULL,
       lease_owner = NULL, lease_expires_at = NULL, epoch = epoch + 1, started_at = NULL, ended_at = NULL
     WHERE id = ANY($1)`,
    [again.map((stage) => stage.id), StageState.STAGE_STATE_PENDING],
  );
  await requeue(manager, runId);
  await goOn(manager, runId);
  // Who asks for a stage that has succeeded wants it run, not linked to what it made.
  const [first] = again;
  if (first?.state === StageState.STAGE_STATE_SUCCEEDED) await manager.update(StageEntity, first.id, { key: null });
}

async function checkInputs(manager: EntityManager, runId: string): Promise<void> {
  const gone = await manager.findOneBy(CheckpointEntity, { runId, deletedAt: Not(IsNull()) });
  if (!gone) return;
  throw new DomainError('FAILED_PRECONDITION', `The run's checkpoint ${gone.name}, which later stages read, has been deleted.`, {
    hint: 'Fork the run: it makes the checkpoint again.',
  });
}

async function requeue(manager: EntityManager, runId: string): Promise<void> {
  await manager.query(
    'UPDATE run SET state = $2, error = NULL, ended_at = NULL, cancel_requested_at = NULL, pause_requested_at = NULL WHERE id = $1',
    [runId, RunState.RUN_STATE_QUEUED],
  );
}

export type StageSoFar = { readonly kind: StageKind; readonly state: StageState };

/** The stages a retry from `from` would run, in order; unspecified is the first that has not succeeded. Pure. */
export function stagesAgain<S extends StageSoFar>(stages: readonly S[], from: StageKind): S[] {
  const next = stages.findIndex((stage) => stage.state !== StageState.STAGE_STATE_SUCCEEDED);
  const start = from === StageKind.STAGE_KIND_UNSPECIFIED ? next : stages.findIndex((stage) => stage.kind === from);
  const word = (stage: S | undefined): string => (stage ? nodeOf(stage.kind).word : '');
  if (start < 0) throw invalid('from_stage', `This run has no such stage; it has ${stages.map(word).join(', ')}.`);
  if (start > next) {
    throw new DomainError('FAILED_PRECONDITION', `${word(stages[start])} needs ${word(stages[next])}, which has not succeeded.`, {
      field: 'from_stage',
      hint: `Retry from ${word(stages[next])}.`,
    });
  }
  const kept = stages.slice(start, next).findLast((stage) => nodeOf(stage.kind).checkpoint !== undefined);
  if (kept) {
    const checkpoint = nodeOf(kept.kind).checkpoint ?? '';
    throw new DomainError('FAILED_PRECONDITION', `${word(kept)} has made checkpoint ${checkpoint}, which stays as it is.`, {
      field: 'from_stage',
      hint: `Retry from ${word(stages[stages.indexOf(kept) + 1])} or later, or fork the run to make another checkpoint.`,
    });
  }
  return stages.slice(start);
}
