import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Json } from '../recipe/canonical.js';
import { leaves, setLeaf, wholeJson } from '../recipe/fields.js';
import type { Options } from './arguments.js';
import { CliError } from './cli-error.js';
import type { Clients } from './clients.js';

/** The recipe the options ask for: a preset of the server with the named fields changed. Values are judged by the server. */
export async function chooseRecipe(clients: Clients, options: Options): Promise<Recipe> {
  const { presets } = await clients.runs.listPresets({});
  const preset = presets.find(({ name }) => name === options.preset);
  if (preset?.recipe === undefined) {
    throw new CliError(`--preset: there is no preset "${options.preset}".`, `Use one of: ${presets.map(({ name }) => name).join(', ')}.`);
  }
  const assignments: [string, string][] = [...options.set];
  if (options.model !== undefined) assignments.unshift(['model.path', options.model]);
  if (options.seed !== undefined) assignments.unshift(['seed', String(options.seed)]);
  if (options.maxImages !== undefined) assignments.unshift(['prefer.max_images', String(options.maxImages)]);
  return changed(preset.recipe, assignments);
}

/** The recipe with fields set by path; a text becomes what the field holds: number, list or object as JSON, text as it is. */
export function changed(recipe: Recipe, assignments: [string, string][]): Recipe {
  const known = leaves(recipe);
  const json = wholeJson(recipe) as { [key: string]: Json };
  for (const [field, value] of assignments) {
    if (!known.has(field)) throw new CliError(`--set: the recipe has no field "${field}".`, suggestion(field, [...known.keys()]));
    setLeaf(json, field, parsed(field, value, known.get(field)));
  }
  return Recipe.fromJSON(json);
}

function parsed(field: string, text: string, present: unknown): Json {
  if (typeof present === 'string') return text;
  let value: Json | undefined;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    value = undefined;
  }
  const kind = Array.isArray(present) ? 'list' : typeof present;
  if (value === undefined || (Array.isArray(value) ? 'list' : typeof value) !== kind) {
    throw new CliError(
      `--set ${field}: expected a ${kind}, got "${text}".`,
      kind === 'list' ? `Write it as JSON, e.g. ${field}=["a","b"].` : '',
    );
  }
  return value;
}

function suggestion(field: string, known: string[]): string {
  const last = field.split('.').at(-1) ?? field;
  const close = known.filter((name) => name.endsWith(`.${last}`) || name.startsWith(`${field}.`)).slice(0, 8);
  return close.length > 0 ? `Did you mean ${close.join(', ')}?` : 'recipes/paper.json has every field.';
}
