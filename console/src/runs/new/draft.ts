import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { CreateRunRequest, Preset, Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Partially } from '@stic/api/service.js';
import { recipeToJson, valueAt, withValueAt, type Json, type JsonObject } from '../../recipe-json.js';

/** A run being put together, by a person or as what a schedule makes. Numbers are texts while they are typed. */
export interface Draft {
  name: string;
  /** Id of the run to fork; its recipe stands in for the preset's and its inputs are taken. */
  fork: string;
  preset: string;
  images: string;
  /** Pairs of one's own: with them the run begins at dpo. */
  preferences: string;
  instructions: string;
  benchmarks: string[];
  priority: string;
  /** What a trainer must carry, each as key=value. */
  labels: string[];
  gpuMemory: string;
  /** Recipe fields that differ from the preset, by dotted path. A number field holds a text while that is no number. */
  edits: Record<string, Json>;
}

export const emptyDraft: Draft = {
  name: '',
  fork: '',
  preset: '',
  images: '',
  preferences: '',
  instructions: '',
  benchmarks: [],
  priority: '0',
  labels: [],
  gpuMemory: '0',
  edits: {},
};

/** What the parts of the form get that change a draft. */
export interface DraftFieldsProps {
  draft: Draft;
  /** What the server objects to at a path. */
  errorAt: (path: string) => string | undefined;
  onChange: (change: Partial<Draft>) => void;
}

/** When and where a stored run or schedule is to go, as this form shows it. */
export const draftOfPlace = (stored: { priority: number; requires?: Requirements }): Pick<Draft, 'priority' | 'labels' | 'gpuMemory'> => ({
  priority: String(stored.priority),
  labels: Object.entries(stored.requires?.labels ?? {}).map(([key, value]) => `${key}=${value}`),
  gpuMemory: String(stored.requires?.gpuMemoryGib ?? 0),
});

/** The same as a request has it. It is always given: a fork without it would take the other run's requirements. */
export function draftPlace({ priority, labels, gpuMemory }: Draft): { priority: number; requires: Requirements } {
  const pairs = labels.map((label): [string, string] => [label.slice(0, label.indexOf('=')), label.slice(label.indexOf('=') + 1)]);
  return { priority: Number(priority), requires: { labels: Object.fromEntries(pairs), gpuMemoryGib: Number(gpuMemory) } };
}

const firstChoice = 'tiny';

export const chosenPreset = ({ preset }: Draft, presets: Preset[]): Preset | undefined =>
  presets.find(({ name }) => name === preset) ?? presets.find(({ name }) => name === firstChoice) ?? presets[0];

/** The preset's recipe with the draft's edits. */
export function draftRecipe(draft: Draft, preset: Preset): JsonObject {
  return Object.entries(draft.edits).reduce((recipe, [path, value]) => withValueAt(recipe, path, value), presetRecipe(preset));
}

export function presetRecipe(preset: Preset): JsonObject {
  return preset.recipe ? recipeToJson(preset.recipe) : {};
}

/** The edits with a value set; one that is the preset's own is none. */
export function withEdit({ edits }: Draft, preset: Preset, path: string, value: Json): Draft['edits'] {
  const others = Object.fromEntries(Object.entries(edits).filter(([name]) => name !== path));
  const same = JSON.stringify(valueAt(presetRecipe(preset), path) ?? null) === JSON.stringify(value);
  return same ? others : { ...others, [path]: value };
}

/** Parts a recipe may leave out. They are edited as a whole, null being without, and outlive the choice of another preset. */
export const optionalParts = ['start_from', 'gate'];

export const keptEdits = ({ edits }: Draft): Draft['edits'] =>
  Object.fromEntries(Object.entries(edits).filter(([path]) => optionalParts.includes(path)));

/** What a person has to mend before the server is asked; empty when there is nothing. */
export function illFormed(draft: Draft, preset: Preset): string {
  const wrong = notNumbers(draft, preset);
  if (wrong.length > 0) return `Not a number: ${wrong.join(', ')}.`;
  const label = draft.labels.find(notLabel);
  return label === undefined ? '' : `A label is written key=value, and ${label} is not.`;
}

export const notLabel = (label: string): boolean => label.indexOf('=') < 1;

export const isNumber = (text: string): boolean => Number.isFinite(Number(text));

/** Number fields that hold something else. */
function notNumbers(draft: Draft, preset: Preset): string[] {
  const [base, recipe] = [presetRecipe(preset), draftRecipe(draft, preset)];
  const ofGate = ['gate.max_drop', 'gate.min_mean_gain'];
  const ofRecipe = [...Object.keys(draft.edits).filter((path) => typeof valueAt(base, path) === 'number'), ...ofGate];
  return [
    ...ofRecipe.filter((path) => typeof (valueAt(recipe, path) ?? 0) !== 'number'),
    ...(isNumber(draft.priority) ? [] : ['Priority']),
    ...(isNumber(draft.gpuMemory) ? [] : ['GPU memory']),
  ];
}

export type RunRequest = Partially<CreateRunRequest>;

/** The request for this run, without the request's id. */
export function draftRequest(draft: Draft, preset: Preset): RunRequest {
  const common = { recipe: Recipe.fromJSON(draftRecipe(draft, preset)), ...draftPlace(draft) };
  if (draft.fork) return { name: draft.name.trim(), forkedFrom: draft.fork, ...common };
  return { name: draft.name.trim() || `${preset.name} run`, ...common, inputs: draftInputs(draft) };
}

/** The chosen datasets by role, in the request's order. */
export function draftInputs({ images, preferences, instructions, benchmarks }: Draft): { role: string; datasetId: string }[] {
  const chosen = { images, preferences, instructions };
  return [
    ...Object.entries(chosen).flatMap(([role, id]) => (id ? [{ role, datasetId: id }] : [])),
    ...benchmarks.map((id) => ({ role: 'benchmark', datasetId: id })),
  ];
}

/** Whether there is something to make pairs from, or the pairs themselves. */
export const hasTrainingData = ({ images, preferences }: Draft): boolean => images !== '' || preferences !== '';

/** The form's name for the field the server objects to: an input is known by its role, everything else by its path. */
export function formField(path: string, draft: Draft): string {
  const field = path.replace(/^spec\./, '').replace(/^recipe\./, '');
  if (field === 'model') return 'model.path';
  if (field === 'inputs') return 'images';
  const [, index, part] = /^inputs\[(\d+)\](?:\.(\w+))?/.exec(field) ?? [];
  if (index === undefined) return field;
  if (part === 'minimum_items') return part;
  return draftInputs(draft)[Number(index)]?.role ?? 'benchmark';
}
