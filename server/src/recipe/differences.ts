import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { FieldChange, FieldDifference } from '@stic/api/gen/stic/runs/v1/runs.js';
import { canonicalJson } from './canonical.js';
import type { Json } from './canonical.js';
import { leaves } from './fields.js';

/** Fields that name things rather than choose them: a run always differs in these. */
const identity = new Set([
  'preset',
  'model.path',
  'model.digest',
  'model.architecture',
  'model.template_hash',
  'prompts.digest',
  'prompts.version',
]);

/** What the recipe does otherwise than the paper, field by field, in the recipe's order. Prompt texts count as one field: their set's name. */
export function differencesFromPaper(paper: Recipe, recipe: Recipe): FieldDifference[] {
  const stated = leaves(paper);
  const differences: FieldDifference[] = [];
  const texts: string[] = [];
  for (const [field, value] of leaves(recipe)) {
    const original = stated.get(field) ?? null;
    if (identity.has(field) || field.split('.')[0] === 'gate' || same(original, value)) continue;
    if (field.startsWith('prompts.')) texts.push(field);
    else differences.push({ field, paper: inWords(original), run: inWords(value) });
  }
  if (texts.length > 0) {
    differences.unshift({ field: 'prompts', paper: paper.prompts?.name ?? '', run: recipe.prompts?.name || 'own texts' });
  }
  return differences;
}

/** What `to` does otherwise than `from`, field by field. Digests and the preset's name say nothing that other fields do not. */
export function changesBetween(from: Recipe, to: Recipe): FieldChange[] {
  const [before, after] = [leaves(from), leaves(to)];
  // Parts that only one of them has, a gate for example, count too.
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((field) => field === 'model.path' || !identity.has(field))
    .map((field) => ({ field, was: before.get(field) ?? null, is: after.get(field) ?? null }))
    .filter(({ was, is }) => !same(was, is))
    .map(({ field, was, is }) => ({ field, from: inWords(was), to: inWords(is) }));
}

/** An empty text and a part that is absent say the same. */
const same = (a: Json, b: Json): boolean => canonicalJson(a ?? '') === canonicalJson(b ?? '');

function inWords(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return canonicalJson(value);
}
