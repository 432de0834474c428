import type { RetryConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import type { JobError } from '@stic/api/gen/stic/common/v1/common.js';

/** A trainer that has not answered about an attempt for this long has lost it. */
export const unreachableGraceMs = 60_000;
/** Who has asked for a stop need not wait that long. */
export const stopGraceMs = 5_000;

/** What a run has been asked to do at the next safe point. */
export type Stop = 'cancel' | 'pause';

/** What the database says about a stage, as far as the next step depends on it. */
export type StageView = {
  readonly state: StageState;
  readonly stop: Stop | undefined;
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
  /** Link an earlier success, or make a new attempt on a free trainer; `previous` may have left work to take up. */
  | { readonly do: 'start'; readonly number: number; readonly previous: AttemptView | undefined }
  /** Submit if need be, then store the attempt's events until it has ended. */
  | { readonly do: 'follow'; readonly attempt: AttemptView }
  /** The trainer has been silent too long: end the attempt as LOST. */
  | { readonly do: 'abandon'; readonly attempt: AttemptView }
  /** No attempt is open and the run is to stop. */
  | { readonly do: 'stop'; readonly how: Stop };

/** The one next action for a stage. Pure: the same view gives the same action on any server. */
export function nextAction(stage: StageView, now: Date): Action {
  if (stage.state !== StageState.STAGE_STATE_READY && stage.state !== StageState.STAGE_STATE_RUNNING) return { do: 'nothing' };
  const last = stage.attempts.at(-1);
  if (last && last.endedAt === null)
    return hasVanished(last, stage.stop, now) ? { do: 'abandon', attempt: last } : { do: 'follow', attempt: last };
  if (stage.stop !== undefined) return { do: 'stop', how: stage.stop };
  if (stage.notBefore !== null && stage.notBefore > now) return { do: 'nothing' };
  return { do: 'start', number: stage.attempts.length + 1, previous: last };
}

function hasVanished(attempt: AttemptView, stop: Stop | undefined, now: Date): boolean {
  const grace = stop === undefined ? unreachableGraceMs : stopGraceMs;
  return attempt.unreachableSince !== null && now.getTime() - attempt.unreachableSince.getTime() > grace;
}

/** What a run has been asked to do; a cancel goes before a pause. */
export function stopAsked(run: { readonly cancelRequestedAt: Date | null; readonly pauseRequestedAt: Date | null }): Stop | undefined {
  if (run.cancelRequestedAt !== null) return 'cancel';
  return run.pauseRequestedAt !== null ? 'pause' : undefined;
}

export type Ending = { readonly state: JobState; readonly error: JobError | undefined };

export type Verdict =
  | { readonly stage: 'succeeded' }
  | { readonly stage: 'cancelled' }
  | { readonly stage: 'paused' }
  | { readonly stage: 'failed'; readonly error: JobError }
  /** A new attempt after `delayMs`. */
  | { readonly stage: 'retry'; readonly delayMs: number };

/** What the end of an attempt means for its stage; `faults` counts the stage's faults, this one included if it is one. */
export function verdictOf(ending: Ending, faults: number, retry: RetryConfig, stop: Stop | undefined): Verdict {
  if (ending.state === JobState.JOB_STATE_SUCCEEDED) return { stage: 'succeeded' };
  if (stop === 'cancel') return { stage: 'cancelled' };
  const mayPass = ending.state !== JobState.JOB_STATE_FAILED || ending.error?.transient === true;
  if (mayPass && stop === 'pause') return { stage: 'paused' };
  if (mayPass && faults < retry.maxAttempts) return { stage: 'retry', delayMs: 1_000 * retry.backoffSeconds * 2 ** (faults - 1) };
  return { stage: 'failed', error: mayPass ? exhausted(ending, faults) : permanent(ending) };
}

/** Tried as often as the recipe allows. */
function exhausted({ state, error }: Ending, faults: number): JobError {
  const tries = `after ${faults} ${faults === 1 ? 'attempt' : 'attempts'}, as many as retry.max_attempts allows`;
  if (error && error.code !== '') return { ...error, message: `${error.message} (${tries})` };
  const stopped = state === JobState.JOB_STATE_CANCELLED;
  return {
    ...unexplained,
    code: 'WORKER_LOST',
    message: stopped ? `The job was stopped on the trainer, not by this run (${tries}).` : `The job ended without saying why (${tries}).`,
  };
}

/** The trainer's words, and that nobody will try by itself. */
function permanent({ error }: Ending): JobError {
  const known = error && error.code !== '' ? error : unexplained;
  return { ...known, hint: `${known.hint} It was not tried again: the same fault would come again.`.trim() };
}

const unexplained: JobError = {
  code: 'INTERNAL',
  message: 'The job ended without saying why.',
  subject: '',
  hint: 'The worker.log in the job folder on the trainer has the last words of the process.',
  transient: false,
};
