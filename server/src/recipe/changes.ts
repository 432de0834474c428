import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { invalid } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import type { Json } from './canonical.js';
import { leaves, setLeaf, wholeJson } from './fields.js';

/** The recipe with fields set by path to values given as JSON. INVALID_ARGUMENT names the field that is unknown or no JSON. */
export function withChanges(recipe: Recipe, changes: Readonly<Record<string, string>>): Recipe {
  const known = leaves(recipe);
  const json = wholeJson(recipe) as { [key: string]: Json };
  for (const [field, text] of Object.entries(changes)) {
    const at = `changes[${shown(field)}]`;
    if (!known.has(field)) throw invalid(at, `The recipe has no field ${shown(field)}.`, 'recipes/paper.json has every field.');
    const value = parsed(text, at);
    if (kindOf(value) !== kindOf(known.get(field) ?? null)) {
      throw invalid(
        at,
        `${field} holds a ${kindOf(known.get(field) ?? null)}, and ${shown(text)} is a ${kindOf(value)}.`,
        'Give the value as JSON.',
      );
    }
    setLeaf(json, field, value);
  }
  return Recipe.fromJSON(json);
}

function parsed(text: string, field: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw invalid(field, `${shown(text)} is not JSON.`, 'Texts need their quotation marks: "\\"embedded:world\\"".');
  }
}

const kindOf = (value: Json): string => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);
