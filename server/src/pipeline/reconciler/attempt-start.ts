import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import type { Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';
import { advisoryLock } from '../../platform/database/locks.js';
import { isId } from '../../platform/pages.js';
import type { TrainerStatus } from '../../trainers/index.js';
import type { AttemptView } from './decide.js';
import { AttemptEntity, RunEntity, SampleEntity, SkippedItemEntity, StageEntity } from '../../model/index.js';
import type { Tools } from './attempt-watch.js';
import { fenced, waitingStages } from './lease.js';
import type { Lease } from './lease.js';
import { chooseTrainer, freeSlots, placeable } from './trainer-selection.js';
import type { Candidate, Placed } from './trainer-selection.js';
import { runTopic } from '../../model/topics.js';

/** Stages read of the queue at once. */
const queuePart = 200;

/** Makes the next attempt on a free trainer; false when there is none. The trainer hears of it when the attempt is followed. */
export async function start(tools: Tools, lease: Lease, number: number, previous: AttemptView | undefined): Promise<boolean> {
  const trainers = await candidates(tools);
  return fenced(tools.db, lease, async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [advisoryLock.placement]);
    const { requires } = await manager.findOneByOrFail(RunEntity, { id: lease.runId });
    const trainer = chooseTrainer(trainers, await openAttempts(manager), requires, previous?.trainer);
    if (trainer === undefined) return false;
    const { key } = await manager.findOneByOrFail(StageEntity, { id: lease.stageId });
    const resumeFrom = await workToTakeUp(manager, key, previous);
    if (resumeFrom === null) await forgetReports(manager, lease.stageId);
    await manager.insert(AttemptEntity, {
      id: randomUUID(),
      stageId: lease.stageId,
      number,
      state: JobState.JOB_STATE_UNSPECIFIED,
      trainer,
      key,
      resumeFrom,
    });
    await begin(manager, lease);
    await manager.update(RunEntity, { id: lease.runId, state: RunState.RUN_STATE_QUEUED }, { state: RunState.RUN_STATE_RUNNING });
    await tools.changes.notify(manager, runTopic(lease.runId));
    return true;
  });
}

/** The stage is under way from now on. A run is RUNNING only once a trainer has something of it. */
export async function begin(manager: EntityManager, lease: Lease): Promise<void> {
  await manager.query(
    `UPDATE stage SET state = 'STAGE_STATE_RUNNING', started_at = coalesce(started_at, now()), not_before = NULL WHERE id = $1`,
    [lease.stageId],
  );
  await manager.query(`UPDATE run SET started_at = coalesce(started_at, now()) WHERE id = $1`, [lease.runId]);
}

/** Work on other inputs must not be mixed with work on these: an earlier stage may have been made again in between. */
async function workToTakeUp(manager: EntityManager, key: string | null, previous: AttemptView | undefined): Promise<string | null> {
  if (previous === undefined || previous.state === JobState.JOB_STATE_SUCCEEDED) return null;
  const earlier = await manager.findOneByOrFail(AttemptEntity, { id: previous.id });
  return earlier.key === key ? earlier.id : null;
}

/** An attempt that starts from nothing says again what is kept once per stage. */
export async function forgetReports(manager: EntityManager, stageId: string): Promise<void> {
  await manager.delete(SampleEntity, { stageId });
  await manager.delete(SkippedItemEntity, { stageId });
}

/**
 * Stages that the trainers could take now, first in the queue first. The queue is read in parts, no further than there is room; what
 * requires the same as a stage that no trainer takes is passed over.
 */
export async function startable(tools: Tools): Promise<string[]> {
  const trainers = await candidates(tools);
  const taken = await openAttempts(tools.db.manager);
  const read = { ids: [] as string[], requires: [] as (Requirements | null)[] };
  while (trainers.some((trainer) => freeSlots(trainer, taken) > 0)) {
    const waiting = await waitingStages(tools.db, queuePart, read);
    const placed = placeable(waiting, trainers, taken);
    read.ids.push(...placed.map(({ id }) => id));
    taken.push(...placed);
    if (waiting.length < queuePart) break;
    read.requires.push(...waiting.filter(({ id }) => !read.ids.includes(id)).map(({ requires }) => requires));
  }
  return read.ids;
}

export function openAttempts(manager: EntityManager): Promise<Placed[]> {
  return manager.query<Placed[]>('SELECT id, trainer FROM attempt WHERE ended_at IS NULL');
}

/** Trainers as last seen, which may be two seconds ago: a job whose end has been stored since then takes no room any more. */
async function candidates({ trainers, db }: Tools): Promise<Candidate[]> {
  const known = await trainers.list();
  return withoutEnded(db.manager, known.map(toCandidate));
}

/** The candidates less the jobs they report although their end is stored. */
export async function withoutEnded(manager: EntityManager, trainers: readonly Candidate[]): Promise<Candidate[]> {
  const ended = await manager.query<{ id: string }[]>(
    `SELECT id FROM attempt WHERE id = ANY($1) AND state IN ('JOB_STATE_SUCCEEDED', 'JOB_STATE_FAILED') AND ended_at IS NOT NULL`,
    [trainers.flatMap((trainer) => trainer.activeJobs).filter(isId)],
  );
  const over = new Set(ended.map((attempt) => attempt.id));
  return trainers.map((trainer) => ({ ...trainer, activeJobs: trainer.activeJobs.filter((id) => !over.has(id)) }));
}

export function toCandidate({ address, info }: TrainerStatus): Candidate {
  return {
    address,
    healthy: info !== undefined,
    capacity: info?.capacity ?? 0,
    activeJobs: info?.activeJobIds ?? [],
    labels: info?.labels ?? {},
    gpuMemoryGib: Number(info?.gpuMemoryBytes ?? 0n) / 2 ** 30,
  };
}
