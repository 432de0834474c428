import type { PromptSet, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DomainError } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import type { Json } from './canonical.js';
import { canonicalJson } from './canonical.js';
import { readCorruptions } from './corruptions.js';
import { wholeJson } from './fields.js';
import type { FieldRules } from './schema.js';
import { holds, readRecipeSchema } from './schema.js';

type Rule = readonly [field: string, rules: FieldRules];

const schema: readonly Rule[] = Object.entries(readRecipeSchema());

/** What each parameter of each corruption may be: written by the trainer, which has the functions (docs/guides/change-a-recipe.md). */
const corruptionRules = new Map(
  Object.entries(readCorruptions()).map(([name, { parameters }]): [string, readonly Rule[]] => [
    name,
    Object.entries(parameters).map(([parameter, { least, most, whole }]): Rule => {
      const allowed = `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`;
      return [parameter, { type: whole ? 'integer' : 'number', gte: least, lte: most, allowed }];
    }),
  ]),
);

/** Throws INVALID_ARGUMENT for the first field that is out of range: its path, its value and what is allowed. */
export function validateRecipe(recipe: Recipe): void {
  check(wholeJson(recipe), schema);
  checkAcrossFields(recipe);
}

/** Throws likewise for a preset, which may leave the model to whoever uses it. */
export function validatePreset(recipe: Recipe): void {
  const open = schema.filter(([field]) => field !== 'model.path');
  check(wholeJson(recipe), recipe.model?.path === '' ? open : schema);
  checkAcrossFields(recipe);
}

/** Throws likewise for a prompt set by itself. */
export function validatePrompts(prompts: PromptSet): void {
  const own = schema.filter(([field]) => field.startsWith('prompts.'));
  check(wholeJson({ prompts }), own);
}

function check(recipe: Json, rules: readonly Rule[]): void {
  for (const [field, rule] of rules) {
    if (rule.optional_part !== undefined && valueAt(recipe, rule.optional_part) === null) continue;
    for (const [at, value] of valuesAt(recipe, field)) demand(rule, value, at);
  }
}

/** What no field can be judged by alone. */
function checkAcrossFields({ prefer, infuse, evaluate }: Recipe): void {
  const template = infuse?.template ?? '';
  if (places(template, '{description}') !== 1 || places(template, '{question}') !== 1)
    throw refusal('infuse.template', template, 'a text with {description} and {question} in it, each once');
  const modes = evaluate?.modes ?? [];
  if (!modes.includes('plain'))
    throw refusal('evaluate.modes', modes, 'plain, or plain and dar: every difference is taken against the base model in plain mode');
  const corruptions = prefer?.corruptions ?? [];
  if (corruptions.length === 0 && (prefer?.corruptedProbability ?? 0) > 0)
    throw refusal('prefer.corruptions', [], 'at least one corruption, since prefer.corrupted_probability is above 0');
  corruptions.forEach(({ name, parameters }, index) => {
    checkParameters(`prefer.corruptions[${index}]`, name, parameters);
  });
}

const places = (template: string, name: string): number => template.split(name).length - 1;

function checkParameters(at: string, name: string, given: Readonly<Record<string, number>>): void {
  const rules = corruptionRules.get(name);
  if (!rules) throw refusal(`${at}.name`, name, `one of ${[...corruptionRules.keys()].join(', ')}`);
  for (const [parameter, rule] of rules) demand(rule, given[parameter] ?? null, `${at}.parameters.${parameter}`);
  const known = rules.map(([parameter]) => parameter);
  const unknown = Object.keys(given).find((parameter) => !known.includes(parameter));
  if (unknown !== undefined)
    throw refusal(`${at}.parameters.${unknown}`, given[unknown] ?? null, `absent: ${name} takes ${known.join(', ')}`);
}

/** The value at a path; for each entry of a list where the path has `[]`. */
function valuesAt(value: Json, field: string): (readonly [at: string, value: Json])[] {
  const [list = '', inner] = field.split('[].', 2);
  if (inner === undefined) return [[field, valueAt(value, field)]];
  const entries = valueAt(value, list);
  return Array.isArray(entries) ? entries.map((entry, index) => [`${list}[${index}].${inner}`, valueAt(entry, inner)]) : [];
}

function valueAt(fields: Json, path: string): Json {
  let value: Json = fields;
  for (const key of path.split('.')) {
    value = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value[key] ?? null) : null;
  }
  return value;
}

function demand(rules: FieldRules, value: Json, field: string): void {
  if (!holds(rules, value)) throw refusal(field, value, rules.allowed, rules.comment);
}

function refusal(field: string, value: Json, allowed: string, hint?: string): DomainError {
  const is = value === null ? 'missing' : shown(canonicalJson(value));
  const message = `Recipe field ${shown(field)} is ${is}; it must be ${allowed}.`;
  return new DomainError('INVALID_ARGUMENT', message, hint === undefined ? { field: shown(field) } : { field: shown(field), hint });
}
