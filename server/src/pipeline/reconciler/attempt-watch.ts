import type { DataSource } from 'typeorm';
import { JobError, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import type { JobEvent } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { DomainError } from '../../platform/errors.js';
import type { ArtifactStore } from '../../platform/storage/artifact-store.js';
import type { Changes } from '../../platform/database/watch.js';
import type { TrainerPool } from '../../trainers/index.js';
import { AttemptEntity } from '../../model/index.js';
import { batches } from './batches.js';
import type { AttemptView, Ending } from './decide.js';
import { ingest } from './event-ingest.js';
import { fenced } from './lease.js';
import type { Lease } from './lease.js';
import { settleAttempt } from './attempt-end.js';
import { jobOf } from './job-request.js';
import { pipelineTopic, runTopic } from '../../model/topics.js';

/** What the steps of the reconciler work with. */
export type Tools = { readonly db: DataSource; readonly changes: Changes; readonly trainers: TrainerPool; readonly store: ArtifactStore };

/** Events stored in one transaction. */
const largestBatch = 2_500;

/** A watch is opened again after this long: the deadline of a stream. */
const watchDeadlineMs = 600_000;

/**
 * Brings the attempt's job into being if need be and stores its events until it ends, the stream breaks or the signal fires.
 * Every way out leaves the truth in the database; the caller looks again.
 */
export async function follow(tools: Tools, lease: Lease, attempt: AttemptView, stopping: boolean, signal: AbortSignal): Promise<void> {
  try {
    const trainer = await locate(tools, lease, attempt);
    if (attempt.state === JobState.JOB_STATE_UNSPECIFIED && attempt.lastSeq === 0n && !stopping) await submit(tools, attempt.id, trainer);
    if (stopping) await tools.trainers.cancelJob(trainer, attempt.id);
    await watch(tools, lease, { ...attempt, trainer }, signal);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await explain(tools, lease, attempt, error, stopping);
  }
}

/** The trainer's address now: a local sidecar may have come back on another port, with the same jobs. */
async function locate({ trainers, db }: Tools, lease: Lease, attempt: AttemptView): Promise<string> {
  const known = await trainers.list();
  if (known.some((trainer) => trainer.address === attempt.trainer)) return attempt.trainer;
  const healthy = known.filter((trainer) => trainer.info !== undefined);
  const holder =
    healthy.find((trainer) => trainer.info?.activeJobIds.includes(attempt.id)) ?? (healthy.length === 1 ? healthy[0] : undefined);
  if (!holder) throw new DomainError('UNAVAILABLE', `No trainer at ${attempt.trainer} any more.`);
  await fenced(db, lease, (manager) => manager.update(AttemptEntity, attempt.id, { trainer: holder.address }));
  return holder.address;
}

async function submit({ trainers, db }: Tools, attemptId: string, trainer: string): Promise<void> {
  await trainers.submitJob(trainer, await jobOf(db.manager, attemptId));
}

async function watch({ trainers, db, changes }: Tools, lease: Lease, attempt: AttemptView, signal: AbortSignal): Promise<void> {
  const left = new AbortController();
  const until = AbortSignal.any([signal, left.signal, AbortSignal.timeout(watchDeadlineMs)]);
  const events: AsyncIterable<JobEvent> = trainers.watchJob(attempt.trainer, attempt.id, attempt.lastSeq, until);
  try {
    for await (const batch of batches(events, { most: largestBatch, withinMs: 150 })) {
      if (await ingest(db, changes, lease, attempt.id, batch)) return;
    }
  } finally {
    left.abort();
  }
}

/** What an error of the trainer says about the attempt. */
async function explain(tools: Tools, lease: Lease, attempt: AttemptView, error: DomainError, stopping: boolean): Promise<void> {
  const ending = endingOf(error, attempt, stopping);
  await fenced(tools.db, lease, async (manager) => {
    const row = await manager.findOneByOrFail(AttemptEntity, { id: attempt.id });
    if (row.endedAt !== null) return;
    if (ending) await settleAttempt(manager, row, ending);
    else await manager.query('UPDATE attempt SET unreachable_since = least(unreachable_since, now()) WHERE id = $1', [row.id]);
    if (ending) await tools.changes.notify(manager, pipelineTopic);
    await tools.changes.notify(manager, runTopic(lease.runId));
  });
}

/** The end of the attempt that an error means, or undefined when trying again may find the job. Pure. */
export function endingOf(error: DomainError, attempt: AttemptView, stopping: boolean): Ending | undefined {
  switch (error.code) {
    case 'NOT_FOUND':
      // Never submitted, or a trainer that has lost its state folder.
      return stopping
        ? { state: JobState.JOB_STATE_CANCELLED, error: undefined }
        : { state: JobState.JOB_STATE_LOST, error: refusal('WORKER_LOST', `The trainer at ${attempt.trainer} does not know the job.`, '') };
    case 'INVALID_ARGUMENT':
    case 'FAILED_PRECONDITION':
    case 'ALREADY_EXISTS':
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return {
        state: JobState.JOB_STATE_FAILED,
        error: refusal('CONFIG_INVALID', `The trainer refused the job: ${error.message}`, error.hint ?? ''),
      };
    case 'ABORTED':
    case 'RESOURCE_EXHAUSTED':
    case 'CANCELLED':
    case 'DEADLINE_EXCEEDED':
    case 'UNAVAILABLE':
    case 'INTERNAL':
      return undefined;
  }
}

function refusal(code: string, message: string, hint: string): JobError {
  return JobError.fromPartial({ code, message, hint });
}

/** Ends an attempt whose trainer has been silent too long; should it come back, the sweep stops its job. */
export async function abandon(tools: Tools, lease: Lease, attempt: AttemptView): Promise<void> {
  await fenced(tools.db, lease, async (manager) => {
    const row = await manager.findOneByOrFail(AttemptEntity, { id: attempt.id });
    if (row.endedAt !== null) return;
    const message = `The trainer at ${attempt.trainer} has not answered since ${attempt.unreachableSince?.toISOString() ?? 'then'}.`;
    await settleAttempt(manager, row, { state: JobState.JOB_STATE_LOST, error: refusal('WORKER_LOST', message, '') });
    await tools.changes.notify(manager, pipelineTopic);
    await tools.changes.notify(manager, runTopic(lease.runId));
  });
}
