import { randomUUID } from 'node:crypto';
import { JobState } from '../../gen/stic/trainer/v1/trainer.js';
import type { AttemptView } from './decide.js';
import { AttemptEntity } from '../entities/index.js';
import type { Tools } from './follow.js';
import { fenced } from './lease.js';
import type { Lease } from './lease.js';
import { chooseTrainer, freeSlots } from './place.js';
import type { Candidate, Placed } from './place.js';
import { runTopic } from './topics.js';

/** Any constant that nothing else in the database uses: placements happen one after the other. */
const placementLock = 7_420_002;

/** Makes the next attempt on a free trainer; false when there is none. The trainer hears of it when the attempt is followed. */
export async function start(tools: Tools, lease: Lease, number: number, previous: AttemptView | undefined): Promise<boolean> {
  const trainers = await candidates(tools);
  return fenced(tools.db, lease, async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [placementLock]);
    const open = await manager.query<Placed[]>('SELECT id, trainer FROM attempt WHERE ended_at IS NULL');
    const trainer = chooseTrainer(trainers, open, previous?.trainer);
    if (trainer === undefined) return false;
    await manager.insert(AttemptEntity, {
      id: randomUUID(),
      stageId: lease.stageId,
      number,
      state: JobState.JOB_STATE_UNSPECIFIED,
      trainer,
      resumeFrom: previous?.id ?? null,
    });
    await manager.query(
      `UPDATE stage SET state = 'STAGE_STATE_RUNNING', started_at = coalesce(started_at, now()), not_before = NULL WHERE id = $1`,
      [lease.stageId],
    );
    await manager.query(
      `UPDATE run SET state = CASE WHEN state = 'RUN_STATE_QUEUED' THEN 'RUN_STATE_RUNNING' ELSE state END,
         started_at = coalesce(started_at, now()) WHERE id = $1`,
      [lease.runId],
    );
    await tools.changes.notify(manager, runTopic(lease.runId));
    return true;
  });
}

/** How many more jobs the trainers could take now. */
export async function roomLeft(tools: Tools): Promise<number> {
  const trainers = await candidates(tools);
  if (!trainers.some((trainer) => trainer.healthy)) return 0;
  const open = await tools.db.query<Placed[]>('SELECT id, trainer FROM attempt WHERE ended_at IS NULL');
  return trainers.reduce((sum, trainer) => sum + freeSlots(trainer, open), 0);
}

/** Trainers as last seen, which may be two seconds ago: a job whose end has been stored since then takes no room any more. */
async function candidates({ trainers, db }: Tools): Promise<Candidate[]> {
  const known = await trainers.list();
  const seen = known.flatMap(({ info }) => info?.activeJobIds ?? []);
  const ended = await db.query<{ id: string }[]>(
    `SELECT id FROM attempt WHERE id::text = ANY($1) AND state IN ('JOB_STATE_SUCCEEDED', 'JOB_STATE_FAILED') AND ended_at IS NOT NULL`,
    [seen],
  );
  const over = new Set(ended.map((attempt) => attempt.id));
  return known.map(({ address, info }) => ({
    address,
    healthy: info !== undefined,
    capacity: info?.capacity ?? 0,
    activeJobs: (info?.activeJobIds ?? []).filter((id) => !over.has(id)),
  }));
}
