import type { PromptSet, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DomainError } from '../platform/errors.js';
import type { Json } from './canonical.js';
import { canonicalJson } from './canonical.js';
import { readCorruptions } from './corruptions.js';
import { wholeJson } from './fields.js';

/** One statement about one field: what is allowed, in words, and the test. */
type Rule = readonly [field: string, allowed: string, holds: (value: Json) => boolean];

const whole = (field: string, least: number, most: number): Rule => [
  field,
  `a whole number from ${least} to ${most}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
];

const number = (field: string, least: number, most: number): Rule => [
  field,
  `a number from ${least} to ${most}`,
  (value) => typeof value === 'number' && value >= least && value <= most,
];

const positive = (field: string, most: number): Rule => [
  field,
  `a number above 0, at most ${most}`,
  (value) => typeof value === 'number' && value > 0 && value <= most,
];

const oneOf = (field: string, ...allowed: string[]): Rule => [
  field,
  `one of ${allowed.join(', ')}`,
  (value) => typeof value === 'string' && allowed.includes(value),
];

const flag = (field: string): Rule => [field, 'true or false', (value) => typeof value === 'boolean'];

const isText = (value: Json): value is string => typeof value === 'string' && value.trim() !== '' && !value.includes('<image>');

const text = (field: string): Rule => [
  field,
  'a text that is not empty and has no <image> in it (the chat template puts the image in)',
  isText,
];

const texts = (field: string): Rule => [
  field,
  'at least one text, none of them empty or with <image> in it',
  (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
];

const distinct = (field: string, allowed: string, item: (value: string) => boolean): Rule => [
  field,
  allowed,
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((one) => typeof one === 'string' && item(one)),
];

const generation = (field: string): Rule[] => [
  number(`${field}.temperature`, 0, 2),
  [`${field}.top_p`, 'above 0, at most 1 (1 is off)', (value) => typeof value === 'number' && value > 0 && value <= 1],
  whole(`${field}.max_new_tokens`, 1, 8192),
  flag(`${field}.share_image_cache`),
];

const optimizer = (field: string): Rule[] => [
  positive(`${field}.learning_rate`, 1),
  number(`${field}.warmup_ratio`, 0, 1),
  number(`${field}.weight_decay`, 0, 10),
  number(`${field}.max_grad_norm`, 0, 1_000_000),
  whole(`${field}.batch_size`, 1, 65_536),
  whole(`${field}.epochs`, 1, 1000),
  whole(`${field}.max_micro_batch_tokens`, 64, 16_777_216),
  whole(`${field}.checkpoint_every_steps`, 1, 1_000_000),
  oneOf(`${field}.sharding`, 'SHARDING_NONE', 'SHARDING_FULL'),
];

/** What each parameter of each corruption may be: written by the trainer, which has the functions (docs/guides/change-a-recipe.md). */
const corruptionRules = new Map(
  Object.entries(readCorruptions()).map(([name, { parameters }]): [string, Rule[]] => [
    name,
    Object.entries(parameters).map(([parameter, { least, most, whole: isWhole }]) => (isWhole ? whole : number)(parameter, least, most)),
  ]),
);

const places = (template: string, name: string): number => template.split(name).length - 1;

const rules: Rule[] = [
  whole('seed', 0, 4_294_967_295),
  text('prompts.name'),
  text('prompts.step_by_step'),
  texts('prompts.plain'),
  texts('prompts.misleading'),
  text('prompts.describe_and_respond'),
  whole('prefer.max_images', 0, 100_000_000),
  ...generation('prefer.generation'),
  number('prefer.corrupted_probability', 0, 1),
  number('prefer.max_skipped_fraction', 0, 1),
  whole('prefer.max_batch_tokens', 64, 16_777_216),
  flag('prefer.show_clean_image'),
  positive('dpo.beta', 100),
  number('dpo.chosen_weight', 0, 100),
  whole('dpo.lora.rank', 1, 4096),
  positive('dpo.lora.alpha', 65_536),
  [`dpo.lora.dropout`, 'from 0 to below 1', (value) => typeof value === 'number' && value >= 0 && value < 1],
  distinct('dpo.lora.target_modules', 'at least one name of a linear layer, each once', (name) => /^\w+$/.test(name)),
  ...optimizer('dpo.optimizer'),
  oneOf('dpo.objective', 'DPO_OBJECTIVE_REGULARISED', 'DPO_OBJECTIVE_CHOSEN_ONLY', 'DPO_OBJECTIVE_SWAPPED'),
  whole('dpo.max_length', 16, 1_048_576),
  whole('dpo.max_text_tokens', 0, 1_048_576),
  number('dpo.max_skipped_fraction', 0, 1),
  flag('dpo.score_strongest_token'),
  flag('dpo.omit_image'),
  whole('describe.max_rows', 0, 100_000_000),
  ...generation('describe.generation'),
  number('describe.max_skipped_fraction', 0, 1),
  whole('describe.max_batch_tokens', 64, 16_777_216),
  [
    'infuse.template',
    'a text with {description} and {question} in it, each once',
    (value) =>
      typeof value === 'string' && places(value, '{description}') === 1 && places(value, '{question}') === 1 && !value.includes('<image>'),
  ],
  ...optimizer('sft.optimizer'),
  whole('sft.max_length', 16, 1_048_576),
  whole('sft.max_text_tokens', 0, 1_048_576),
  number('sft.max_skipped_fraction', 0, 1),
  [
    'evaluate.modes',
    'plain, or plain and dar (every difference is taken against the base model in plain mode)',
    (value) =>
      Array.isArray(value) &&
      value.includes('plain') &&
      new Set(value).size === value.length &&
      value.every((mode) => mode === 'plain' || mode === 'dar'),
  ],
  ...generation('evaluate.describe_generation'),
  ...generation('evaluate.answer_generation'),
  whole('evaluate.bootstrap_resamples', 100, 1_000_000),
  whole('evaluate.sample_images', 0, 1000),
  whole('evaluate.max_batch_tokens', 64, 16_777_216),
  whole('evaluate.max_items', 0, 100_000_000),
  flag('speed.share_prefix'),
  flag('speed.reuse_image_features'),
  flag('speed.response_only_head'),
  flag('speed.reuse_reference_scores'),
  flag('speed.gradient_checkpointing'),
  flag('speed.pack_rows'),
  flag('speed.attend_by_blocks'),
  whole('retry.max_attempts', 1, 100),
  number('retry.backoff_seconds', 0, 86_400),
];

const alias = (field: string): Rule => [
  field,
  'empty for champion, or a name of a-z, 0-9, - and _ that begins with a letter',
  (value) => typeof value === 'string' && /^([a-z][a-z0-9_-]{0,62})?$/.test(value),
];

/** Rules of parts that a recipe may leave out. */
const optional: readonly (readonly [part: string, rules: readonly Rule[]])[] = [
  [
    'start_from',
    [
      oneOf('start_from.point', 'START_POINT_UNSPECIFIED', 'START_POINT_BASE', 'START_POINT_ALIAS', 'START_POINT_CHECKPOINT'),
      alias('start_from.alias'),
    ],
  ],
  ['gate', [alias('gate.alias'), number('gate.max_drop', 0, 100), number('gate.min_mean_gain', -100, 100)]],
];

/** Throws INVALID_ARGUMENT for the first field that is out of range: its path, its value and what is allowed. */
export function validateRecipe(recipe: Recipe): void {
  const fields = wholeJson(recipe);
  for (const rule of rules) demand(rule, valueAt(fields, rule[0]), rule[0]);
  for (const [part, partRules] of optional) {
    if (valueAt(fields, part) !== null) for (const rule of partRules) demand(rule, valueAt(fields, rule[0]), rule[0]);
  }
  validateCorruptions(recipe);
}

/** Throws likewise for a prompt set by itself. */
export function validatePrompts(prompts: PromptSet): void {
  const fields = wholeJson({ prompts });
  for (const rule of rules.filter(([field]) => field.startsWith('prompts.'))) demand(rule, valueAt(fields, rule[0]), rule[0]);
}

function validateCorruptions(recipe: Recipe): void {
  const listed = recipe.prefer?.corruptions ?? [];
  const field = 'prefer.corruptions';
  if (listed.length === 0 && (recipe.prefer?.corruptedProbability ?? 0) > 0) {
    throw refusal(field, [], 'at least one corruption, since prefer.corrupted_probability is above 0');
  }
  listed.forEach((corruption, index) => {
    const at = `${field}[${index}]`;
    const parameters = corruptionRules.get(corruption.name);
    if (!parameters) throw refusal(`${at}.name`, corruption.name, `one of ${[...corruptionRules.keys()].join(', ')}`);
    demand(positive('', 1_000_000), corruption.weight, `${at}.weight`);
    for (const rule of parameters) demand(rule, corruption.parameters[rule[0]] ?? null, `${at}.parameters.${rule[0]}`);
    const known = parameters.map(([name]) => name);
    const unknown = Object.keys(corruption.parameters).find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw refusal(
        `${at}.parameters.${unknown}`,
        corruption.parameters[unknown] ?? null,
        `absent: ${corruption.name} takes ${known.join(', ')}`,
      );
  });
}

function valueAt(fields: Json, path: string): Json {
  let value: Json = fields;
  for (const key of path.split('.')) {
    value = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value[key] ?? null) : null;
  }
  return value;
}

function demand([, allowed, holds]: Rule, value: Json, field: string): void {
  if (!holds(value)) throw refusal(field, value, allowed);
}

function refusal(field: string, value: Json, allowed: string): DomainError {
  const shown = value === null ? 'missing' : canonicalJson(value).slice(0, 200);
  return new DomainError('INVALID_ARGUMENT', `Recipe field ${field} is ${shown}; it must be ${allowed}.`, { field });
}
