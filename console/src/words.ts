import { type Recipe, StageKind, StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import type { Requirements, Run, RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import { CatchUpPolicy, OverlapPolicy, TickOrigin } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import type { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';

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

const moves: Partial<Record<MoveKind, string>> = {
  [MoveKind.MOVE_KIND_PROMOTED]: 'promoted',
  [MoveKind.MOVE_KIND_SET]: 'set by hand',
  [MoveKind.MOVE_KIND_ROLLED_BACK]: 'rolled back',
};

export const moveWord = (kind: MoveKind): string => moves[kind] ?? '';

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
