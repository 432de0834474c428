import { DomainError, invalid } from '../platform/errors.js';
import { DpoObjective } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { ModelSpec, PromptSet, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import type { RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import { shown } from '../platform/printable.js';
import type { ReadyVersion } from '../datasets/index.js';
import { inputRoles } from '../model/graph.js';
import type { InputRole } from '../model/graph.js';
import { copyRecipe, promptsDigest } from '../recipe/fields.js';
import { validateRecipe } from '../recipe/validate.js';

export type ResolvedInput = ReadyVersion & { readonly role: InputRole };

const kinds: Record<InputRole, DatasetKind> = {
  images: DatasetKind.DATASET_KIND_IMAGES,
  instructions: DatasetKind.DATASET_KIND_INSTRUCTIONS,
  benchmark: DatasetKind.DATASET_KIND_BENCHMARK,
  preferences: DatasetKind.DATASET_KIND_PREFERENCES,
};

/** The recipe of a request, checked and complete but for what the trainer says about the model. */
export function checkedRecipe(given: Recipe | undefined): { recipe: Recipe; prompts: PromptSet; model: ModelSpec } {
  if (!given) throw invalid('recipe', 'A run needs a recipe.', 'Take a preset from ListPresets and change what should differ.');
  const recipe = copyRecipe(given);
  validateRecipe(recipe);
  const { model, prompts } = recipe;
  if (!model || !prompts) throw invalid('recipe', 'The recipe names no model or no prompts.');
  return { recipe, prompts, model };
}

/** The recipe with the facts only the server and the trainer know: what it will be for ever. */
export function freeze(recipe: Recipe, prompts: PromptSet, model: ModelSpec): Recipe {
  return { ...recipe, model, prompts: { ...prompts, digest: promptsDigest(prompts) } };
}

/** Resolves the inputs in the request's order and checks that together they make a run. */
export async function resolveInputs(
  inputs: readonly RunInput[],
  resolve: (input: RunInput) => Promise<ReadyVersion>,
): Promise<ResolvedInput[]> {
  const roles = inputs.map((input, index) => roleOf(input, index));
  for (const role of ['images', 'instructions', 'preferences'] as const) {
    if (roles.filter((one) => one === role).length > 1)
      throw invalid('inputs', `A run has one dataset of ${role}.`, 'Put several sources into one dataset.');
  }
  if (!roles.includes('images') && !roles.includes('preferences')) {
    throw invalid(
      'inputs',
      'A run needs a dataset of images, from which pairs are made, or a dataset of preferences: the pairs themselves.',
    );
  }
  const resolved: ResolvedInput[] = [];
  for (const [index, input] of inputs.entries()) {
    const role = roles[index] ?? 'images';
    const version = await named(index, () => resolve(input));
    if (version.kind !== kinds[role]) {
      throw invalid(
        `inputs[${index}].dataset_id`,
        `The dataset "${version.datasetName}" does not hold ${role}.`,
        'Choose a dataset of that kind.',
      );
    }
    resolved.push({ ...version, role });
  }
  refuseTwice(resolved);
  return resolved;
}

function roleOf(input: RunInput, index: number): InputRole {
  const role = inputRoles.find((one) => one === input.role);
  if (!role) throw invalid(`inputs[${index}].role`, `"${shown(input.role)}" is not a role; it must be one of ${inputRoles.join(', ')}.`);
  return role;
}

async function named<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const details = {
      field: `inputs[${index}].${error.field ?? 'dataset_id'}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    };
    throw new DomainError(error.code, error.message, details);
  }
}

function refuseTwice(inputs: readonly ResolvedInput[]): void {
  const names = inputs.filter((input) => input.role === 'benchmark').map((input) => input.benchmark);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid('inputs', `The benchmark "${shown(twice)}" is given twice.`);
}

/** A gate decides by figures. */
export function checkGate(recipe: Recipe, inputs: readonly ResolvedInput[]): void {
  if (!recipe.gate || inputs.some((input) => input.role === 'benchmark')) return;
  throw invalid('gate', 'A gate compares on benchmarks, and this run has none.', 'Give a benchmark, or leave the gate out.');
}

/** What a person should know before the run starts. */
export function warningsOf(recipe: Recipe, inputs: readonly ResolvedInput[]): string[] {
  const given = new Set(inputs.map((input) => input.role));
  const warnings: string[] = [];
  if (recipe.model?.path.startsWith('embedded:') === true) {
    warnings.push(
      'The embedded world is a toy with a weakness planted in its base model: that STIC mends it shows that the machinery works, not what it would do for your model.',
    );
  }
  if (given.has('preferences') && given.has('images'))
    warnings.push('Preference pairs were given: none are made from the images, which only serve for sample descriptions.');
  if (!given.has('instructions')) warnings.push('No instructions were given: the run ends after stage 1.');
  if (!given.has('benchmark'))
    warnings.push('No benchmark was given: nothing can be scored. Look at pairs, curves and sample descriptions.');
  if (recipe.dpo?.objective === DpoObjective.DPO_OBJECTIVE_SWAPPED)
    warnings.push('Control arm: preferred and rejected sides are exchanged. This run must make the model worse.');
  if (recipe.dpo?.omitImage === true) warnings.push('As in the published code, training sees no image: dpo.omit_image.');
  if (recipe.dpo?.scoreStrongestToken === true)
    warnings.push('As in the published code, the rejected texts are not scored: dpo.score_strongest_token.');
  if (recipe.prefer?.showCleanImage === true) warnings.push('As in the published code, no image is corrupted: prefer.show_clean_image.');
  return warnings;
}
