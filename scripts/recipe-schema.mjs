// Writes what each field of a recipe may be, read from the field rules of recipe.proto: server, trainer and console check with this one table.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const recipeProto = 'stic/recipe/v1/recipe.proto';
const rulesOption = '[stic.api.v1.field]';
const largestUint32 = 4294967295;
const types = { TYPE_UINT32: 'integer', TYPE_DOUBLE: 'number', TYPE_BOOL: 'boolean', TYPE_STRING: 'string', TYPE_ENUM: 'enum' };

/** Where the table stands: in the repository, and once more inside the trainer's package, whose wheel has nothing of the repository. */
export const schemaFiles = ['recipes/generated/schema.json', 'trainer-py/stic_trainer/config/schema.json'];

/** Writes the table below `out`. */
export async function writeRecipeSchema(out = root) {
  const file = recipeFile();
  const text = await prettier.format(oneLineEach(fieldsOf(file)), {
    ...(await prettier.resolveConfig(root)),
    parser: 'json',
    printWidth: 140,
  });
  for (const name of schemaFiles) {
    mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
    writeFileSync(path.join(out, name), text);
  }
}

/** The descriptor of recipe.proto, comments included. */
function recipeFile() {
  const built = execFileSync(path.join(root, 'node_modules/.bin/buf'), ['build', 'proto', '-o', '-#format=json'], {
    cwd: root,
    maxBuffer: 1 << 28,
  });
  const found = JSON.parse(built).file.find(({ name }) => name === recipeProto);
  if (!found) throw new Error(`proto/ has no ${recipeProto}.`);
  return found;
}

/** Every leaf of Recipe by its path, in the order of the proto; `[]` after the name of a list of messages. */
function fieldsOf(file) {
  const found = {};
  const walk = (message, prefix, part) => {
    message.field.forEach((field, index) => {
      const name = `${prefix}${field.name}`;
      const inner = messageOf(file, field);
      const comment = commentOf(file, [4, file.messageType.indexOf(message), 2, index]);
      if (!inner) found[name] = leaf(file, field, comment, part);
      else if (inner.options?.mapEntry) found[name] = { type: 'map', allowed: 'an object of numbers', comment };
      else if (field.label === 'LABEL_REPEATED') walk(inner, `${name}[].`, part);
      else walk(inner, `${name}.`, part ?? (rulesOf(field).required ? undefined : name));
    });
  };
  walk(
    file.messageType.find(({ name }) => name === 'Recipe'),
    '',
    undefined,
  );
  return found;
}

function messageOf(file, { type, typeName }) {
  if (type !== 'TYPE_MESSAGE') return undefined;
  const all = file.messageType.flatMap((message) => [message, ...(message.nestedType ?? [])]);
  return (
    all.find(({ name }) => name === typeName.split('.').at(-1)) ??
    fail(`Recipe has a field of ${typeName}, which is not in ${recipeProto}.`)
  );
}

/** The rules with the proto's own names. */
const rulesOf = (field) =>
  Object.fromEntries(Object.entries(field.options?.[rulesOption] ?? {}).map(([name, rule]) => [snake(name), rule]));

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function leaf(file, field, comment, part) {
  const { unit, ...given } = rulesOf(field);
  const type = types[field.type] ?? fail(`${field.name} is of ${field.type}, for which there are no rules.`);
  const rules = type === 'integer' ? wholeNumber(given) : given;
  const values = type === 'enum' ? enumValues(file, field, given.required) : undefined;
  const repeated = field.label === 'LABEL_REPEATED' || undefined;
  const described = { type, repeated, values, ...rules, unit, optional_part: part };
  return { ...described, allowed: inWords(described), comment };
}

const wholeNumber = ({ gt, lt, ...rules }) => ({
  ...rules,
  gte: rules.gte ?? (gt === undefined ? 0 : gt + 1),
  lte: rules.lte ?? (lt === undefined ? largestUint32 : lt - 1),
});

function enumValues(file, { typeName }, required) {
  const values = file.enumType.find(({ name }) => name === typeName.split('.').at(-1)).value.map(({ name }) => name);
  return required ? values.slice(1) : values;
}

/** The rules as the end of the sentence "It must be ...". */
function inWords(rules) {
  if (!rules.repeated) return oneInWords(rules);
  const once = rules.unique ? ', none of them twice' : '';
  const least = rules.min_items ? `a list of ${rules.min_items} or more` : 'a list';
  const most = rules.max_items ? `, ${rules.max_items} at most` : '';
  return `${least}${most}${once}, each ${oneInWords(rules)}`;
}

function oneInWords(rules) {
  if (rules.type === 'boolean') return 'true or false';
  if (rules.type === 'enum') return `one of ${rules.values.join(', ')}`;
  return rules.type === 'string' ? textInWords(rules) : `${numberInWords(rules)}${rules.unit ? ` ${rules.unit}` : ''}`;
}

function numberInWords({ type, gt, gte, lt, lte }) {
  const what = type === 'integer' ? 'a whole number' : 'a number';
  const least = gte !== undefined ? ` from ${gte}` : gt !== undefined ? ` above ${gt}` : '';
  const most = lte !== undefined ? (gte === undefined ? `, at most ${lte}` : ` to ${lte}`) : lt !== undefined ? ` to below ${lt}` : '';
  return `${what}${least}${most}`;
}

function textInWords({ repeated, required, uuid, min_len, max_len, pattern, not_contains }) {
  const filled = required || min_len;
  const conditions = [
    filled ? 'is not empty' : '',
    max_len ? `has at most ${max_len} characters` : '',
    pattern ? `matches ${pattern}` : '',
    not_contains ? `has no ${not_contains} in it` : '',
  ].filter(Boolean);
  const text = uuid ? 'a UUID' : ['a text', conditions.length > 0 ? `that ${conditions.join(' and ')}` : ''].filter(Boolean).join(' ');
  return !filled && !repeated && (uuid || conditions.length > 0) ? `empty, or ${text}` : text;
}

/** The first sentence of the comment above a declaration. */
function commentOf(file, place) {
  const at = place.join();
  const comment = file.sourceCodeInfo.location.find(({ path: found }) => found?.join() === at)?.leadingComments ?? '';
  const text = comment.replace(/\s+/g, ' ').trim();
  return text === '' ? undefined : text.split(/(?<!\b(?:e\.g|i\.e)\.)(?<=\.) /)[0];
}

const oneLineEach = (fields) =>
  `{\n${Object.entries(fields)
    .map(([name, rules]) => `${JSON.stringify(name)}:${JSON.stringify(rules)}`)
    .join(',\n')}\n}`;

function fail(message) {
  throw new Error(message);
}
