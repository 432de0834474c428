import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';

/** States that a run never leaves by itself. */
export const terminalRunStates: readonly RunState[] = [
  RunState.RUN_STATE_SUCCEEDED,
  RunState.RUN_STATE_FAILED,
  RunState.RUN_STATE_CANCELLED,
];

const terminal: ReadonlySet<RunState | JobState> = new Set<RunState | JobState>([
  ...terminalRunStates,
  JobState.JOB_STATE_SUCCEEDED,
  JobState.JOB_STATE_FAILED,
  JobState.JOB_STATE_CANCELLED,
  JobState.JOB_STATE_LOST,
]);

/** Whether a run or an attempt in this state has ended. */
export const isTerminal = (state: RunState | JobState): boolean => terminal.has(state);
