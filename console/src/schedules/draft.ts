import { CatchUpPolicy, OverlapPolicy, type ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Partially } from '@stic/api/service.js';
import {
  draftInputs,
  draftOfPlace,
  draftPlace,
  draftRecipe,
  emptyDraft,
  hasTrainingData,
  illFormed,
  type Draft,
} from '../runs/new/draft.js';
import { ownZone } from './times.js';

/** A schedule being put together: when, by which rules, and the run it is to make. Numbers are texts while they are typed. */
export interface ScheduleDraft {
  cron: string;
  zone: string;
  overlap: OverlapPolicy;
  catchUp: CatchUpPolicy;
  catchUpHours: string;
  jitterMinutes: string;
  deadlineHours: string;
  pauseAfter: string;
  refresh: boolean;
  onlyNew: boolean;
  minimum: string;
  run: Draft;
}

/** The preset that stands for the recipe of the schedule that is edited. */
export const keptRecipe = 'as it is';

export const newDraft = (search: URLSearchParams): ScheduleDraft => ({
  cron: '30 2 * * *',
  zone: ownZone,
  overlap: OverlapPolicy.OVERLAP_POLICY_SKIP,
  catchUp: CatchUpPolicy.CATCH_UP_POLICY_LAST,
  catchUpHours: '24',
  jitterMinutes: '0',
  deadlineHours: '0',
  pauseAfter: '3',
  refresh: true,
  onlyNew: false,
  minimum: '1',
  run: { ...emptyDraft, images: search.get('images') ?? '' },
});

export function draftOf(spec: ScheduleSpec): ScheduleDraft {
  const inputs = (role: string) => spec.inputs.filter((input) => input.role === role);
  const [images] = inputs('images');
  const [preferences] = inputs('preferences');
  return {
    cron: spec.cron,
    zone: spec.zone,
    overlap: spec.overlap,
    catchUp: spec.catchUp,
    catchUpHours: String(spec.catchUpWindowSeconds / 3600),
    jitterMinutes: String(spec.jitterSeconds / 60),
    deadlineHours: String(spec.deadlineSeconds / 3600),
    pauseAfter: String(spec.pauseAfterFailures),
    refresh: (images ?? preferences)?.refresh ?? false,
    onlyNew: images?.onlyNew ?? false,
    minimum: String(images?.minimumItems || 1),
    run: {
      ...emptyDraft,
      ...draftOfPlace(spec),
      name: spec.name,
      preset: keptRecipe,
      images: images?.datasetId ?? '',
      preferences: preferences?.datasetId ?? '',
      instructions: inputs('instructions')[0]?.datasetId ?? '',
      benchmarks: inputs('benchmark').map((input) => input.datasetId),
    },
  };
}

const numbers: [keyof ScheduleDraft, string][] = [
  ['catchUpHours', 'Window'],
  ['jitterMinutes', 'Jitter'],
  ['deadlineHours', 'Deadline'],
  ['pauseAfter', 'Pause after failures'],
  ['minimum', 'At least so many new images'],
];

/** What the form itself still lacks; empty when it can be sent. */
export function lacking(draft: ScheduleDraft, preset: Preset): string {
  if (!draft.run.name.trim()) return 'Give the schedule a name.';
  if (!hasTrainingData(draft.run)) return 'Choose images or preference pairs.';
  const wrong = numbers.filter(([field]) => !isCount(draft[field] as string)).map(([, label]) => label);
  return wrong.length > 0 ? `Not a number: ${wrong.join(', ')}.` : illFormed(draft.run, preset);
}

const isCount = (text: string): boolean => text.trim() !== '' && Number(text) >= 0;

export function draftSpec(draft: ScheduleDraft, preset: Preset): Partially<ScheduleSpec> {
  const { run } = draft;
  const chosen = draft.onlyNew ? { onlyNew: true, minimumItems: Math.max(1, Number(draft.minimum)) } : {};
  return {
    ...draftPlace(run),
    name: run.name.trim(),
    cron: draft.cron.trim(),
    zone: draft.zone,
    recipe: Recipe.fromJSON(draftRecipe(run, preset)),
    inputs: draftInputs(run).map((input) => {
      if (input.role === 'preferences') return { ...input, refresh: draft.refresh };
      return input.role === 'images' ? { ...input, refresh: draft.refresh, ...chosen } : input;
    }),
    overlap: draft.overlap,
    catchUp: draft.catchUp,
    catchUpWindowSeconds: Math.round(Number(draft.catchUpHours) * 3600),
    jitterSeconds: Math.round(Number(draft.jitterMinutes) * 60),
    pauseAfterFailures: Number(draft.pauseAfter),
    deadlineSeconds: Math.round(Number(draft.deadlineHours) * 3600),
  };
}
