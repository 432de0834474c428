import { StageState } from '../../gen/stic/runs/v1/runs.js';
import { JobState } from '../../gen/stic/trainer/v1/trainer.js';
import type { JobError } from '../../gen/stic/trainer/v1/trainer.js';

/** Tries of one stage; after the last one the stage fails. */
export const attemptLimit = 3;
/** A trainer that has not answered about an attempt for this long has lost it. */
export const unreachableGraceMs = 60_000;
/** Who has asked for a stop need not wait that long. */
export const cancelGraceMs = 5_000;

/** What the database says about a stage, as far as the next step depends on it. */
export type StageView = {
  readonly state: StageState;
  readonly cancelRequested: boolean;
  readonly notBefore: Date | null;
  /** In order of number. */
  readonly attempts: readonly AttemptView[];
};

export type AttemptView = {
  readonly id: string;
  readonly trainer: string;
  readonly state: JobState;
  readonly lastSeq: bigint;
  readonly unreachableSince: Date | null;
  readonly endedAt: Date | null;
};

export type Action =
  /** Nothing to do here, now or for this owner. */
  | { readonly do: 'nothing' }
  /** Make a new attempt on a free trainer; `previous` may have left work to take up. */
  | { readonly do: 'start'; readonly number: number; readonly previous: AttemptView | undefined }
  /** Submit if need be, then store the attempt's events until it has ended. */
  | { readonly do: 'follow'; readonly attempt: AttemptView }
  /** The trainer has been silent too long: end the attempt as LOST. */
  | { readonly do: 'abandon'; readonly attempt: AttemptView }
  /** No attempt is open and the run is to stop. */
  | { readonly do: 'cancel' };

/** The one next action for a stage. Pure: the same view gives the same action on any server. */
export function nextAction(stage: StageView, now: Date): Action {
  if (stage.state !== StageState.STAGE_STATE_READY && stage.state !== StageState.STAGE_STATE_RUNNING) return { do: 'nothing' };
  const last = stage.attempts.at(-1);
  if (last && last.endedAt === null)
    return hasVanished(last, stage.cancelRequested, now) ? { do: 'abandon', attempt: last } : { do: 'follow', attempt: last };
  if (stage.cancelRequested) return { do: 'cancel' };
  if (stage.notBefore !== null && stage.notBefore > now) return { do: 'nothing' };
  return { do: 'start', number: stage.attempts.length + 1, previous: last };
}

function hasVanished(attempt: AttemptView, cancelRequested: boolean, now: Date): boolean {
  const grace = cancelRequested ? cancelGraceMs : unreachableGraceMs;
  return attempt.unreachableSince !== null && now.getTime() - attempt.unreachableSince.getTime() > grace;
}

export type Ending = { readonly state: JobState; readonly error: JobError | undefined };

export type Verdict =
  | { readonly stage: 'succeeded' }
  | { readonly stage: 'cancelled' }
  | { readonly stage: 'failed'; readonly error: JobError }
  /** A new attempt after `delayMs`. */
  | { readonly stage: 'retry'; readonly delayMs: number };

/** What the end of attempt `number` means for its stage. */
export function verdictOf(ending: Ending, number: number, cancelRequested: boolean): Verdict {
  if (ending.state === JobState.JOB_STATE_SUCCEEDED) return { stage: 'succeeded' };
  if (cancelRequested) return { stage: 'cancelled' };
  const mayHelp = ending.state !== JobState.JOB_STATE_FAILED || ending.error?.transient === true;
  if (mayHelp && number < attemptLimit) return { stage: 'retry', delayMs: 1_000 * 2 ** (number - 1) };
  return { stage: 'failed', error: explain(ending, number) };
}

function explain(ending: Ending, number: number): JobError {
  const tries = `after ${number} attempts`;
  if (ending.error && ending.error.code !== '') {
    return number > 1 ? { ...ending.error, message: `${ending.error.message} (${tries})` } : ending.error;
  }
  const cancelled = ending.state === JobState.JOB_STATE_CANCELLED;
  return {
    code: ending.state === JobState.JOB_STATE_FAILED ? 'INTERNAL' : 'WORKER_LOST',
    message: cancelled ? `The job was stopped on the trainer, not by this run (${tries}).` : `The job ended without saying why (${tries}).`,
    subject: '',
    hint: 'The worker.log in the job folder on the trainer has the last words of the process.',
    transient: false,
  };
}
