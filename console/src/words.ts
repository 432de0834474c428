import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type Recipe, StageKind, StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { type Requirements, RunState, StageState, type Run, type RunInput, type Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { CatchUpPolicy, OverlapPolicy, type Schedule, TickOrigin, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { type DatasetKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';

/** How a state looks: never by colour alone, always with its word and a shape. */
export interface Look {
  word: string;
  color: string;
  shape: 'waiting' | 'running' | 'done' | 'failed' | 'stopped' | 'none';
}

const unknown: Look = { word: 'Unknown', color: 'gray', shape: 'none' };

const runLooks: Partial<Record<RunState, Look>> = {
  [RunState.RUN_STATE_QUEUED]: { word: 'Queued', color: 'gray', shape: 'waiting' },
  [RunState.RUN_STATE_RUNNING]: { word: 'Running', color: 'blue', shape: 'running' },
  [RunState.RUN_STATE_CANCELLING]: { word: 'Cancelling', color: 'orange', shape: 'running' },
  [RunState.RUN_STATE_PAUSING]: { word: 'Pausing', color: 'orange', shape: 'running' },
  [RunState.RUN_STATE_PAUSED]: { word: 'Paused', color: 'orange', shape: 'stopped' },
  [RunState.RUN_STATE_SUCCEEDED]: { word: 'Succeeded', color: 'teal', shape: 'done' },
  [RunState.RUN_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
  [RunState.RUN_STATE_CANCELLED]: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
};

const stageLooks: Partial<Record<StageState, Look>> = {
  [StageState.STAGE_STATE_PENDING]: { word: 'Pending', color: 'gray', shape: 'none' },
  [StageState.STAGE_STATE_READY]: { word: 'Waiting for a trainer', color: 'gray', shape: 'waiting' },
  [StageState.STAGE_STATE_RUNNING]: { word: 'Running', color: 'blue', shape: 'running' },
  [StageState.STAGE_STATE_PAUSED]: { word: 'Paused', color: 'orange', shape: 'stopped' },
  [StageState.STAGE_STATE_SUCCEEDED]: { word: 'Succeeded', color: 'teal', shape: 'done' },
  [StageState.STAGE_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
  [StageState.STAGE_STATE_CANCELLED]: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
  [StageState.STAGE_STATE_SKIPPED]: { word: 'Not run', color: 'gray', shape: 'none' },
};

const jobLooks: Partial<Record<JobState, Look>> = {
  [JobState.JOB_STATE_QUEUED]: { word: 'Queued', color: 'gray', shape: 'waiting' },
  [JobState.JOB_STATE_RUNNING]: { word: 'Running', color: 'blue', shape: 'running' },
  [JobState.JOB_STATE_SUCCEEDED]: { word: 'Succeeded', color: 'teal', shape: 'done' },
  [JobState.JOB_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
  [JobState.JOB_STATE_CANCELLED]: { word: 'Stopped', color: 'gray', shape: 'stopped' },
  [JobState.JOB_STATE_LOST]: { word: 'Lost', color: 'orange', shape: 'failed' },
};

const versionLooks: Partial<Record<VersionState, Look>> = {
  [VersionState.VERSION_STATE_IMPORTING]: { word: 'Importing', color: 'blue', shape: 'running' },
  [VersionState.VERSION_STATE_READY]: { word: 'Ready', color: 'teal', shape: 'done' },
  [VersionState.VERSION_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
};

const tickLooks: Partial<Record<TickState, Look>> = {
  [TickState.TICK_STATE_WAITING]: { word: 'Waiting', color: 'gray', shape: 'waiting' },
  [TickState.TICK_STATE_RUNNING]: { word: 'Running', color: 'blue', shape: 'running' },
  [TickState.TICK_STATE_SUCCEEDED]: { word: 'Succeeded', color: 'teal', shape: 'done' },
  [TickState.TICK_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
  [TickState.TICK_STATE_CANCELLED]: { word: 'Cancelled', color: 'gray', shape: 'stopped' },
  [TickState.TICK_STATE_SKIPPED]: { word: 'Skipped', color: 'gray', shape: 'none' },
};

export const tickLook = (state: TickState): Look => tickLooks[state] ?? unknown;

export function scheduleLook({ pausedAt, nextAt }: Schedule): Look {
  if (pausedAt) return { word: 'Paused', color: 'orange', shape: 'stopped' };
  return nextAt ? { word: 'Active', color: 'teal', shape: 'waiting' } : { word: 'Over', color: 'gray', shape: 'none' };
}

const origins: Partial<Record<TickOrigin, string>> = {
  [TickOrigin.TICK_ORIGIN_CATCH_UP]: 'caught up',
  [TickOrigin.TICK_ORIGIN_BACKFILL]: 'back-filled',
  [TickOrigin.TICK_ORIGIN_TRIGGER]: 'triggered',
};

/** Empty for what the clock brought. */
export const originWord = (origin: TickOrigin): string => origins[origin] ?? '';

const overlaps: Partial<Record<OverlapPolicy, string>> = {
  [OverlapPolicy.OVERLAP_POLICY_SKIP]: 'skip while the last run goes on',
  [OverlapPolicy.OVERLAP_POLICY_QUEUE]: 'wait for the last run to end',
  [OverlapPolicy.OVERLAP_POLICY_CANCEL_PREVIOUS]: 'cancel the last run',
};

export const overlapWord = (overlap: OverlapPolicy): string => overlaps[overlap] ?? '';

const catchUps: Partial<Record<CatchUpPolicy, string>> = {
  [CatchUpPolicy.CATCH_UP_POLICY_NONE]: 'skipped',
  [CatchUpPolicy.CATCH_UP_POLICY_LAST]: 'the latest is caught up',
  [CatchUpPolicy.CATCH_UP_POLICY_ALL]: 'all are caught up',
};

export const catchUpWord = (catchUp: CatchUpPolicy): string => catchUps[catchUp] ?? '';

export const runLook = (state: RunState): Look => runLooks[state] ?? unknown;
export const stageLook = (state: StageState): Look => stageLooks[state] ?? unknown;
export const jobLook = (state: JobState): Look => jobLooks[state] ?? unknown;
export const versionLook = (state: VersionState | undefined): Look => (state && versionLooks[state]) ?? unknown;

/** The six stage words, the same in files, protos, command line and console. */
export const stageWord = (kind: StageKind): string => kind.replace('STAGE_KIND_', '').toLowerCase();

const stageDoes: Partial<Record<StageKind, string>> = {
  [StageKind.STAGE_KIND_PREFER]: 'makes preference pairs from unlabeled images',
  [StageKind.STAGE_KIND_DPO]: 'learns the difference: checkpoint stage 1',
  [StageKind.STAGE_KIND_DESCRIBE]: 'the stage-1 model describes the instruction images',
  [StageKind.STAGE_KIND_INFUSE]: 'puts each description into its instruction row',
  [StageKind.STAGE_KIND_SFT]: 'fine-tunes on the infused rows: checkpoint stage 2',
  [StageKind.STAGE_KIND_EVALUATE]: 'compares base, stage 1 and stage 2',
};

export const stagePurpose = (kind: StageKind): string => stageDoes[kind] ?? '';

export const kindWord = (kind: DatasetKind): string => kind.replace('DATASET_KIND_', '').toLowerCase();

const subjects: Record<string, string> = { base: 'base', stage1: 'stage 1', stage2: 'stage 2', champion: 'champion' };
const modes: Record<string, string> = { plain: 'plain', dar: 'DaR' };

/** base | stage1 | stage2, for people. */
export const subjectWord = (subject: string): string => subjects[subject] ?? subject;

/** plain | dar, for people. DaR is describe-and-respond: the model describes first, then answers. */
export const modeWord = (mode: string): string => modes[mode] ?? mode;

/** low_resolution -> low resolution. */
export const plainWords = (name: string): string => name.replaceAll('_', ' ');

/** What a trainer must have: a=b, 24 GiB of GPU memory. */
export function requirementWords(requires: Requirements | undefined): string[] {
  if (!requires) return [];
  const labels = Object.entries(requires.labels).map(([key, value]) => `${key}=${value}`);
  return requires.gpuMemoryGib > 0 ? [...labels, `${String(requires.gpuMemoryGib)} GiB of GPU memory`] : labels;
}

/** What a recipe starts from; empty for the base model. */
export function startWord(recipe: Recipe | undefined): string {
  const { point, alias, checkpointId } = recipe?.startFrom ?? {};
  if (point === StartPoint.START_POINT_CHECKPOINT) return `checkpoint ${(checkpointId ?? '').slice(0, 8)}`;
  return point === StartPoint.START_POINT_ALIAS ? `the ${alias || 'champion'}` : '';
}

/** What stage 1 learns from: the pairs a run was given, or the images it makes them from. */
export const trainingData = ({ inputs }: Run): RunInput | undefined =>
  inputs.find(({ role }) => role === 'preferences') ?? inputs.find(({ role }) => role === 'images');

/** stage 1 of a run; an imported checkpoint by the name it was given. */
export const checkpointWords = ({ name, runName }: { name: string; runName: string }): string =>
  runName ? `${subjectWord(name)} of ${runName}` : name;

/** Share of the stage that is done, 0..1. */
export function stageShare(stage: Stage): number {
  if (stage.state === StageState.STAGE_STATE_SUCCEEDED) return 1;
  const progress = stage.progress;
  return progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
}

/** Share of the run that is done, every stage counting the same, 0..1. */
export function runShare(run: Run): number {
  if (run.stages.length === 0) return 0;
  return run.stages.reduce((sum, stage) => sum + stageShare(stage), 0) / run.stages.length;
}
