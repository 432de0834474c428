import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type JsonObject = Record<string, Json>;

/**
 * The recipe as a form edits it: the proto's snake_case names, every field present. The generated toJSON leaves out zeros and empty
 * texts, which would have no field to be edited in.
 */
export function recipeToJson(recipe: Recipe): JsonObject {
  return snakeCase(recipe as unknown as JsonObject) as JsonObject;
}

function snakeCase(value: Json): Json {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => (inner as unknown) !== undefined)
      .map(([name, inner]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snakeCase(inner)]),
  );
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a dotted path such as dpo.optimizer.learning_rate. */
export function valueAt(json: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, name) => (isObject(value) ? value[name] : undefined), json);
}

/** A copy with the value at a dotted path replaced. */
export function withValueAt(json: JsonObject, path: string, value: Json): JsonObject {
  const [name = '', ...rest] = path.split('.');
  const inner = json[name];
  return {
    ...json,
    [name]: rest.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, rest.join('.'), value),
  };
}

/** Every leaf with its dotted path, in the recipe's order. Lists are leaves. */
export function leaves(json: JsonObject, prefix = ''): [string, Json][] {
  return Object.entries(json).flatMap(([name, value]): [string, Json][] =>
    isObject(value) ? leaves(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]],
  );
}

/** A value as one writes it into a form: texts as they are, lists and objects as JSON. */
export function asText(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
