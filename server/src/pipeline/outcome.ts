import { bestOf } from '../evaluations/index.js';
import { RunState, type Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { EvaluationScore, JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { nodeOf } from '../model/graph.js';
import { gateOutcome, type GateView } from '../registry/index.js';

/** What the sentence about a run rests on. */
export type RunView = {
  readonly state: RunState;
  readonly error: JobError | undefined;
  readonly stages: readonly Pick<Stage, 'kind' | 'state'>[];
  readonly gate: GateView | undefined;
  readonly scores: readonly EvaluationScore[];
};

const longestMessage = 300;

/** In one sentence: is there a better model, and why. Empty until the run has ended. Pure. */
export function outcomeOf(run: RunView): string {
  switch (run.state) {
    case RunState.RUN_STATE_SUCCEEDED:
      return (run.gate && gateOutcome(run.gate)) ?? withoutGate(run);
    case RunState.RUN_STATE_FAILED:
      return `Failed${where(run, StageState.STAGE_STATE_FAILED)}: ${run.error ? reason(run.error) : 'no reason given'}.`;
    case RunState.RUN_STATE_CANCELLED:
      return `Cancelled${where(run, StageState.STAGE_STATE_CANCELLED)}: nothing was compared.`;
    default:
      return '';
  }
}

function withoutGate({ stages, scores }: RunView): string {
  const best = bestOf(scores);
  if (best !== '') return `No gate: ${best}.`;
  const made = stages
    .filter(({ state }) => state === StageState.STAGE_STATE_SUCCEEDED)
    .flatMap(({ kind }) => nodeOf(kind).checkpoint ?? []);
  return `Trained ${made.join(' and ')}: without a benchmark nothing says whether it is better.`;
}

function where({ stages }: RunView, state: StageState): string {
  const stage = stages.find((one) => one.state === state);
  return stage ? ` in ${nodeOf(stage.kind).word}` : '';
}

function reason({ message, code }: JobError): string {
  const [line = ''] = message.trim().split('\n');
  const text = line.length > longestMessage ? `${line.slice(0, longestMessage)}…` : line.replace(/\.$/, '');
  return code === '' ? text : `${text} (${code})`;
}
