// Server and trainer accept and refuse the same recipes: every field, just inside and just outside of what it may be.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { DomainError } from '../../server/src/platform/errors.js';
import type { Json } from '../../server/src/recipe/canonical.js';
import { wholeJson } from '../../server/src/recipe/fields.js';
import { loadPresets } from '../../server/src/recipe/presets.js';
import { readRecipeSchema, type FieldRules } from '../../server/src/recipe/schema.js';
import { validateRecipe } from '../../server/src/recipe/validate.js';
import { ensure } from '../support/expect.js';

type Fields = { [key: string]: Json };
type Case = { field: string; value: Json; allowed: boolean };

const { paths } = loadConfig({});
const tiny = loadPresets(paths.recipes, paths.prompts).get('tiny')?.recipe;
/** Parts of a recipe that a job's has not. */
const serversOwn = ['retry', 'start_from', 'gate'];
const cases = Object.entries(readRecipeSchema()).flatMap(([field, rules]) =>
  values(rules).map(([value, allowed]): Case => ({ field: field.replace('[]', '[0]'), value, allowed })),
);

test('every field of a recipe is accepted and refused alike by server and trainer', () => {
  expect(cases.filter(({ allowed }) => !allowed).length, 'the table has rules').toBeGreaterThan(100);
  const trainers = trainersVerdicts();
  cases.forEach(({ field, value, allowed }, index) => {
    const shown = `${field} = ${JSON.stringify(value)}`;
    const expected = allowed ? null : field;
    expect(serversVerdict(field, value), `the server on ${shown}`).toBe(expected);
    if (!isServersOwn(field)) expect(trainers[index], `the trainer on ${shown}`).toBe(expected && `recipe.${expected}`);
  });
});

const isServersOwn = (field: string): boolean => serversOwn.includes(field.split('.')[0] ?? '');

/** Values of a field with whether it may be so. */
function values(rules: FieldRules): [Json, boolean][] {
  const single = rules.repeated === true ? texts(rules).map(([value, allowed]): [Json, boolean] => [[value], allowed]) : oneValues(rules);
  const [entry = ''] = texts(rules).find(([, allowed]) => allowed) ?? [];
  return [
    ...single,
    ...(rules.min_items === undefined ? [] : [[[], false] as [Json, boolean]]),
    ...(rules.unique === true ? [[[entry, entry], false] as [Json, boolean]] : []),
  ];
}

function oneValues(rules: FieldRules): [Json, boolean][] {
  switch (rules.type) {
    case 'boolean':
      return [
        [true, true],
        [false, true],
      ];
    case 'enum':
      return [...(rules.values ?? []).map((value): [Json, boolean] => [value, true]), ['NO_SUCH_VALUE', false]];
    case 'integer':
      return around(rules, 1);
    case 'number':
      return around(rules, 1e-9);
    case 'string':
      return texts(rules);
    case 'map':
      return [];
  }
}

/** A value on each bound and one a step beyond or before it. */
function around({ gt, gte, lt, lte }: FieldRules, step: number): [Json, boolean][] {
  const beside = (bound: number, direction: number): number => bound + direction * step * (step < 1 ? Math.max(1, Math.abs(bound)) : 1);
  const found: [Json, boolean][] = [];
  if (gt !== undefined) found.push([gt, false], [beside(gt, 1), true]);
  if (gte !== undefined) found.push([beside(gte, -1), false], [gte, true]);
  if (lt !== undefined) found.push([lt, false], [beside(lt, -1), true]);
  if (lte !== undefined) found.push([beside(lte, 1), false], [lte, true]);
  return found;
}

/** Corruption names and the template have rules of their own; of patterns, the samples below match theirs. */
function texts({ required, repeated, min_len: least, pattern, uuid, not_contains: foreign }: FieldRules): [Json, boolean][] {
  const found: [Json, boolean][] = [];
  if (required === true) found.push(['', false], [' \n', false]);
  if (least !== undefined) found.push(['', false], ['  ', false], ['x'.repeat(least), true]);
  if (pattern !== undefined)
    found.push([pattern.includes('plain') ? 'plain' : 'q_proj', true], ['no such § text', false], ['q_proj\n', false]);
  if (uuid === true) found.push(['0f8fad5b-d9cb-469f-a165-70867728950e', true], ['0f8fad5b', false]);
  if (foreign !== undefined) found.push([repeated === true ? `A ${foreign}.` : `{description} {question} ${foreign}`, false]);
  return found;
}

function recipeWith(field: string, value: Json): Fields {
  const recipe = wholeJson(tiny) as Fields;
  recipe['gate'] = { alias: '', max_drop: 1, min_mean_gain: 0, require_approval: false };
  recipe['start_from'] = { point: 'START_POINT_ALIAS', alias: '', checkpoint_id: '', adapter_sha256: '' };
  const steps = field.split(/[.[\]]+/);
  const last = steps.pop() ?? '';
  const part = steps.reduce((at, step) => at[step] as Fields, recipe);
  part[last] = value;
  return recipe;
}

function serversVerdict(field: string, value: Json): string | null {
  try {
    validateRecipe(Recipe.fromJSON(recipeWith(field, value)));
    return null;
  } catch (error) {
    ensure(error instanceof DomainError);
    return error.field ?? '';
  }
}

/** One process for all: each start of Python costs more than all the verdicts. */
function trainersVerdicts(): (string | null)[] {
  const recipes = cases.map(({ field, value }) => {
    const recipe = recipeWith(isServersOwn(field) ? 'seed' : field, isServersOwn(field) ? 1 : value);
    return Object.fromEntries(Object.entries(recipe).filter(([name]) => !serversOwn.includes(name)));
  });
  const script = path.join(repositoryRoot(), 'test/support/judge_recipes.py');
  const env = { ...process.env, PYTHONPATH: paths.trainer };
  return JSON.parse(execFileSync(paths.python, [script], { input: JSON.stringify(recipes), encoding: 'utf8', env })) as (string | null)[];
}
