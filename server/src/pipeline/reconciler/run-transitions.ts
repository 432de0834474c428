import type { EntityManager } from 'typeorm';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { abandonGate, decideGate } from '../../registry/index.js';
import { announce } from '../../webhooks/index.js';
import { RunEntity } from '../../model/index.js';
import { readOutcomes } from '../outcome.reader.js';
import type { Stop } from './decide.js';

const { STAGE_STATE_PENDING, STAGE_STATE_READY, STAGE_STATE_RUNNING, STAGE_STATE_PAUSED } = StageState;

/** Ends the stage and the run with the error; later stages are SKIPPED. */
export async function failRun(manager: EntityManager, runId: string, stageId: string, error: JobError): Promise<void> {
  const json = JobError.toJSON(error) as object;
  await endStages(manager, [stageId], StageState.STAGE_STATE_FAILED, json);
  await endStages(manager, await stagesIn(manager, runId, unfinished), StageState.STAGE_STATE_SKIPPED, null);
  await endRun(manager, runId, RunState.RUN_STATE_FAILED, json);
}

/**
 * Does what a run has been asked for, now that it can be done; whoever leases a stage of it is fenced off. The caller has made sure
 * that no attempt is open and holds the run's row lock.
 */
export function stopRun(manager: EntityManager, runId: string, how: Stop): Promise<void> {
  return how === 'cancel' ? cancelRun(manager, runId) : pauseRun(manager, runId);
}

/** Stages whose turn had come are CANCELLED, the others SKIPPED. */
async function cancelRun(manager: EntityManager, runId: string): Promise<void> {
  const begun = await stagesIn(manager, runId, [STAGE_STATE_READY, STAGE_STATE_RUNNING, STAGE_STATE_PAUSED]);
  await endStages(manager, begun, StageState.STAGE_STATE_CANCELLED, null);
  await endStages(manager, await stagesIn(manager, runId, unfinished), StageState.STAGE_STATE_SKIPPED, null);
  await endRun(manager, runId, RunState.RUN_STATE_CANCELLED, null);
}

/** Stages whose turn had come are PAUSED; what they had saved stays on their trainer. */
async function pauseRun(manager: EntityManager, runId: string): Promise<void> {
  const begun = await stagesIn(manager, runId, [STAGE_STATE_READY, STAGE_STATE_RUNNING]);
  await manager.query(
    `UPDATE stage SET state = $2, not_before = NULL, lease_owner = NULL, lease_expires_at = NULL, epoch = epoch + 1 WHERE id = ANY($1)`,
    [begun, STAGE_STATE_PAUSED],
  );
  await manager.query('UPDATE run SET state = $2 WHERE id = $1', [runId, RunState.RUN_STATE_PAUSED]);
}

/** True while a trainer may be working on the run. */
export async function hasOpenAttempt(manager: EntityManager, runId: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT 1 FROM attempt JOIN stage ON stage.id = attempt.stage_id WHERE stage.run_id = $1 AND attempt.ended_at IS NULL LIMIT 1`,
    [runId],
  );
  return rows.length > 0;
}

const unfinished = [STAGE_STATE_PENDING, STAGE_STATE_READY, STAGE_STATE_RUNNING, STAGE_STATE_PAUSED];

async function stagesIn(manager: EntityManager, runId: string, states: readonly StageState[]): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>('SELECT id FROM stage WHERE run_id = $1 AND state = ANY($2)', [runId, states]);
  return rows.map((row) => row.id);
}

export async function endStages(manager: EntityManager, ids: readonly string[], state: StageState, error: object | null): Promise<void> {
  await manager.query(
    `UPDATE stage SET state = $2, error = $3, lease_owner = NULL, lease_expires_at = NULL, epoch = epoch + 1,
       ended_at = CASE WHEN $2 = 'STAGE_STATE_SKIPPED' THEN NULL ELSE now() END
     WHERE id = ANY($1)`,
    [ids, state, error === null ? null : JSON.stringify(error)],
  );
}

/** Ends the run, has its gate decide and tells what came of it. */
export async function endRun(manager: EntityManager, runId: string, state: RunState, error: object | null): Promise<void> {
  await manager.query('UPDATE run SET state = $2, error = $3, ended_at = now() WHERE id = $1', [
    runId,
    state,
    error === null ? null : JSON.stringify(error),
  ]);
  const run = await manager.findOneByOrFail(RunEntity, { id: runId });
  if (state === RunState.RUN_STATE_SUCCEEDED) await decideGate(manager, run);
  else await abandonGate(manager, runId);
  const told = toTell[state];
  if (told === undefined) return;
  const outcome = (await readOutcomes(manager, [run])).get(runId);
  await announce(manager, told, { run_id: runId, run_name: run.name, outcome, error });
}

const toTell: Partial<Record<RunState, 'run.succeeded' | 'run.failed'>> = {
  [RunState.RUN_STATE_SUCCEEDED]: 'run.succeeded',
  [RunState.RUN_STATE_FAILED]: 'run.failed',
};
