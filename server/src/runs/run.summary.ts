import { Progress } from '@stic/api/gen/stic/common/v1/common.js';
import { Run, RunInput, Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunSchedule } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { secondsLeft } from './estimate.js';
import type { TimedStage } from './estimate.js';
import { isTerminal } from '../model/states.js';

/** Columns of a run that RUN_VIEW_BASIC is made of; the recipe, most of a row, is not among them. */
export const summaryColumns = [
  'id',
  'name',
  'state',
  'priority',
  'position',
  'requires',
  'reuseStages',
  'forkedFrom',
  'error',
  'createdAt',
  'startedAt',
  'endedAt',
] as const satisfies (keyof RunEntity)[];

export type SummaryRow = Pick<RunEntity, (typeof summaryColumns)[number]>;

export type SummaryStage = Pick<StageEntity, 'runId' | 'kind' | 'state' | 'startedAt' | 'endedAt' | 'notBefore' | 'progress'> & {
  /** Its results are an earlier run's. */
  readonly linked: boolean;
};

/** The rows a summary is made of, beside the run's own. */
export type SummaryParts = {
  readonly preset: string;
  readonly modelPath: string;
  readonly inputs: readonly Pick<RunInputEntity, 'role' | 'datasetName' | 'items' | 'skipped'>[];
  readonly stages: readonly SummaryStage[];
  readonly skipped: number;
  readonly queuePosition: number;
  readonly waiting: string;
  readonly outcome: string;
  readonly names: ReadonlyMap<string, string>;
  readonly schedules: ReadonlyMap<string, RunSchedule>;
};

/** A run in RUN_VIEW_BASIC. Pure. */
export function summaryOf(row: SummaryRow, parts: SummaryParts, now: Date): Run {
  const run: Run = {
    ...Run.fromPartial({}),
    id: row.id,
    name: row.name,
    state: row.state,
    preset: parts.preset,
    modelPath: parts.modelPath,
    inputs: parts.inputs.map(({ role, datasetName, items }) => ({ ...noInput, role, datasetName, items })),
    stages: parts.stages.map(toStage),
    createdAt: row.createdAt,
    startedAt: row.startedAt ?? undefined,
    endedAt: row.endedAt ?? undefined,
    skipped: parts.skipped + parts.inputs.reduce((sum, input) => sum + input.skipped, 0),
    etaSeconds: isTerminal(row.state) ? 0 : secondsLeft(parts.stages.map(toTimed), now),
    queuePosition: parts.queuePosition,
    priority: row.priority,
    requires: row.requires ?? undefined,
    reuseStages: row.reuseStages,
    waiting: parts.waiting,
    outcome: parts.outcome,
    schedule: parts.schedules.get(row.id),
  };
  if (row.forkedFrom !== null) run.fork = { runId: row.forkedFrom, runName: parts.names.get(row.forkedFrom) ?? '', changes: [] };
  return run;
}

const noInput = RunInput.fromPartial({});
const noStage = Stage.fromPartial({});

function toStage({ kind, state, progress, startedAt }: SummaryStage): Stage {
  const running = state === StageState.STAGE_STATE_RUNNING;
  return {
    ...noStage,
    kind,
    state,
    progress: progress ? Progress.fromJSON(progress) : undefined,
    startedAt: running ? (startedAt ?? undefined) : undefined,
  };
}

/** What the estimate needs of a stage. */
function toTimed({ kind, state, progress, startedAt, endedAt, linked }: SummaryStage): TimedStage {
  return {
    kind,
    state,
    progress: progress ? Progress.fromJSON(progress) : undefined,
    startedAt: startedAt ?? undefined,
    endedAt: endedAt ?? undefined,
    linkedFrom: linked ? {} : undefined,
  };
}
