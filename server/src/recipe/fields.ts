import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { PromptSet } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { digestOf } from './canonical.js';
import type { Json } from './canonical.js';

type Fields = { [key: string]: Json };

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A message as JSON with the proto's field names and with every field present, zero values included (toJSON leaves those out). */
export function wholeJson(message: unknown): Json {
  if (Array.isArray(message)) return message.map(wholeJson);
  if (message === undefined || message === null) return null;
  if (typeof message === 'object') {
    return Object.fromEntries(Object.entries(message).map(([key, value]) => [snake(key), wholeJson(value)]));
  }
  if (typeof message === 'bigint') return message.toString();
  return message as string | number | boolean;
}

/** The recipe's leaves by path (`dpo.optimizer.learning_rate`). Lists and parameter maps are leaves: they are replaced, never merged. */
export function leaves(recipe: Recipe): Map<string, Json> {
  const found = new Map<string, Json>();
  const walk = (value: Json, path: string): void => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      found.set(path, value);
      return;
    }
    for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`);
  };
  walk(wholeJson(recipe), '');
  return found;
}

/** Sets a leaf of a recipe's JSON; every step of the path but the last exists. */
export function setLeaf(json: Fields, path: string, value: Json): void {
  const [head = '', ...rest] = path.split('.');
  const inner = json[head];
  if (rest.length === 0) json[head] = value;
  else if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) setLeaf(inner, rest.join('.'), value);
}

/** A deep copy that shares nothing with the original. */
export function copyRecipe(recipe: Recipe): Recipe {
  return Recipe.decode(Recipe.encode(recipe).finish());
}

/** sha256 over the texts alone: the same texts under another name or version are the same prompts. */
export function promptsDigest(prompts: PromptSet): string {
  const texts: Fields = {
    step_by_step: prompts.stepByStep,
    plain: prompts.plain,
    misleading: prompts.misleading,
    describe_and_respond: prompts.describeAndRespond,
  };
  return digestOf(texts);
}

/** sha256 over the whole recipe, prompt texts and model digest included. */
export function recipeDigest(recipe: Recipe): string {
  return digestOf(wholeJson(recipe));
}
