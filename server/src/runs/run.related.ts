import type { EntityManager } from 'typeorm';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunSchedule } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunEntity, StageEntity } from '../model/index.js';
import { openAttempts, toCandidate, whyWaiting, withoutEnded } from '../pipeline/index.js';
import type { TrainerPool } from '../trainers/index.js';

/** What a run shows of things that are not its own parts. */

export async function namesOf(ids: readonly string[], manager: EntityManager): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const runs = await manager.query<{ id: string; name: string }[]>('SELECT id, name FROM run WHERE id = ANY($1)', [ids]);
  return new Map(runs.map((run) => [run.id, run.name]));
}

/** By run: the schedule one of whose fires made it. */
export async function schedulesOf(runIds: readonly string[], manager: EntityManager): Promise<ReadonlyMap<string, RunSchedule>> {
  const found = await manager.query<(RunSchedule & { runId: string })[]>(
    `SELECT run_id AS "runId", schedule.id AS "scheduleId", schedule.name AS "scheduleName"
     FROM tick JOIN schedule ON schedule.id = schedule_id WHERE run_id = ANY($1)`,
    [runIds],
  );
  return new Map(found.map(({ runId, ...schedule }) => [runId, schedule]));
}

/** Items that stages have left out, by run. */
export async function skippedCounts(runIds: readonly string[], manager: EntityManager): Promise<ReadonlyMap<string, number>> {
  const counts = await manager.query<{ run_id: string; count: number }[]>(
    'SELECT run_id, count(*)::integer AS count FROM skipped_item WHERE run_id = ANY($1) GROUP BY run_id',
    [runIds],
  );
  return new Map(counts.map((row) => [row.run_id, row.count]));
}

type WaitingStage = Pick<StageEntity, 'runId' | 'state' | 'notBefore'>;

/** Why runs whose turn it could be are on no trainer. */
export async function waitingReasons(
  rows: readonly Pick<RunEntity, 'id' | 'requires'>[],
  stages: readonly WaitingStage[],
  trainerPool: TrainerPool,
  manager: EntityManager,
): Promise<ReadonlyMap<string, string>> {
  const ready = stages.filter((stage) => stage.state === StageState.STAGE_STATE_READY);
  if (ready.length === 0) return new Map();
  const trainers = await withoutEnded(manager, trainerPool.lastSeen().map(toCandidate));
  const open = await openAttempts(manager);
  const requires = new Map(rows.map((row) => [row.id, row.requires]));
  const now = new Date();
  return new Map(
    ready.map(({ runId, notBefore }): [string, string] => {
      if (notBefore !== null && notBefore > now) return [runId, `tries again after a fault, at ${notBefore.toISOString()}`];
      return [runId, whyWaiting(requires.get(runId) ?? null, trainers, open)];
    }),
  );
}
