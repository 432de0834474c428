/** Every state a person sees: its word, colour and shape, and which of them are final. */
import { type JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { type Dataset, VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { type Run, RunState, type Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { type Schedule, type TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import type { Trainer } from '@stic/api/gen/stic/trainers/v1/trainers.js';
import { type DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';

/** How a state looks: never by colour alone, always with its word and a shape. */
export interface Look {
  word: string;
  color: string;
  shape: 'waiting' | 'running' | 'done' | 'failed' | 'stopped' | 'none';
}

/** A look for every state that the protos name; one that is missing does not compile. */
type Looks<State extends string> = Readonly<Record<Exclude<`${State}`, 'UNRECOGNIZED' | `${string}_UNSPECIFIED`>, Look>>;

const unknown: Look = { word: 'Unknown', color: 'gray', shape: 'none' };

const lookOf =
  <State extends string>(looks: Looks<State>) =>
  (state: State | undefined): Look =>
    (looks as Partial<Record<string, Look>>)[state ?? ''] ?? unknown;

export const runLook = lookOf<RunState>({
  RUN_STATE_QUEUED: { word: 'Queued', color: 'gray', shape: 'waiting' },
  RUN_STATE_RUNNING: { word: 'Running', color: 'blue', shape: 'running' },
  RUN_STATE_CANCELLING: { word: 'Cancelling', color: 'orange', shape: 'running' },
  RUN_STATE_PAUSING: { word: 'Pausing', color: 'orange', shape: 'running' },
  RUN_STATE_PAUSED: { word: 'Paused', color: 'orange', shape: 'stopped' },
  RUN_STATE_SUCCEEDED: { word: 'Succeeded', color: 'teal', shape: 'done' },
  RUN_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
  RUN_STATE_CANCELLED: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
});

export const stageLook = lookOf<StageState>({
  STAGE_STATE_PENDING: { word: 'Pending', color: 'gray', shape: 'none' },
  STAGE_STATE_READY: { word: 'Waiting for a trainer', color: 'gray', shape: 'waiting' },
  STAGE_STATE_RUNNING: { word: 'Running', color: 'blue', shape: 'running' },
  STAGE_STATE_PAUSED: { word: 'Paused', color: 'orange', shape: 'stopped' },
  STAGE_STATE_SUCCEEDED: { word: 'Succeeded', color: 'teal', shape: 'done' },
  STAGE_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
  STAGE_STATE_CANCELLED: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
  STAGE_STATE_SKIPPED: { word: 'Not run', color: 'gray', shape: 'none' },
});

export const jobLook = lookOf<JobState>({
  JOB_STATE_QUEUED: { word: 'Queued', color: 'gray', shape: 'waiting' },
  JOB_STATE_RUNNING: { word: 'Running', color: 'blue', shape: 'running' },
  JOB_STATE_SUCCEEDED: { word: 'Succeeded', color: 'teal', shape: 'done' },
  JOB_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
  JOB_STATE_CANCELLED: { word: 'Stopped', color: 'gray', shape: 'stopped' },
  JOB_STATE_LOST: { word: 'Lost', color: 'orange', shape: 'failed' },
});

export const versionLook = lookOf<VersionState>({
  VERSION_STATE_IMPORTING: { word: 'Importing', color: 'blue', shape: 'running' },
  VERSION_STATE_READY: { word: 'Ready', color: 'teal', shape: 'done' },
  VERSION_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
});

export const tickLook = lookOf<TickState>({
  TICK_STATE_WAITING: { word: 'Waiting', color: 'gray', shape: 'waiting' },
  TICK_STATE_RUNNING: { word: 'Running', color: 'blue', shape: 'running' },
  TICK_STATE_SUCCEEDED: { word: 'Succeeded', color: 'teal', shape: 'done' },
  TICK_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
  TICK_STATE_CANCELLED: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
  TICK_STATE_SKIPPED: { word: 'Skipped', color: 'gray', shape: 'none' },
});

export const gateLook = lookOf<GateState>({
  GATE_STATE_WAITING: { word: 'Waiting for the evaluation', color: 'gray', shape: 'waiting' },
  GATE_STATE_PENDING: { word: 'Waits for approval', color: 'orange', shape: 'waiting' },
  GATE_STATE_PROMOTED: { word: 'Promoted', color: 'teal', shape: 'done' },
  GATE_STATE_KEPT: { word: 'Champion kept', color: 'gray', shape: 'stopped' },
  GATE_STATE_REJECTED: { word: 'Rejected', color: 'red', shape: 'stopped' },
  GATE_STATE_ABANDONED: { word: 'Not decided', color: 'gray', shape: 'none' },
});

export const deliveryLook = lookOf<DeliveryState>({
  DELIVERY_STATE_PENDING: { word: 'Pending', color: 'blue', shape: 'waiting' },
  DELIVERY_STATE_DELIVERED: { word: 'Delivered', color: 'teal', shape: 'done' },
  DELIVERY_STATE_FAILED: { word: 'Failed', color: 'red', shape: 'failed' },
});

export function scheduleLook({ pausedAt, nextAt }: Schedule): Look {
  if (pausedAt) return { word: 'Paused', color: 'orange', shape: 'stopped' };
  return nextAt ? { word: 'Active', color: 'teal', shape: 'waiting' } : { word: 'Over', color: 'gray', shape: 'none' };
}

export const trainerLook = ({ healthy }: Trainer): Look =>
  healthy ? { word: 'Healthy', color: 'teal', shape: 'done' } : { word: 'Unreachable', color: 'red', shape: 'failed' };

/** Nothing about the run can change any more. */
export const hasEnded = ({ state }: Run): boolean =>
  state === RunState.RUN_STATE_SUCCEEDED || state === RunState.RUN_STATE_FAILED || state === RunState.RUN_STATE_CANCELLED;

export const isImporting = ({ latest }: Dataset): boolean => latest?.state === VersionState.VERSION_STATE_IMPORTING;

/** Share of the stage that is done, 0..1. */
export function stageShare({ state, progress }: Stage): number {
  if (state === StageState.STAGE_STATE_SUCCEEDED) return 1;
  return progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
}

/** Share of the run that is done, every stage counting the same, 0..1. */
export function runShare({ stages }: Run): number {
  if (stages.length === 0) return 0;
  return stages.reduce((sum, stage) => sum + stageShare(stage), 0) / stages.length;
}
