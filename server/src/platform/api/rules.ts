import { type DescField, type DescMessage, getOption, hasOption, type Message as ProtoMessage, toBinary } from '@bufbuild/protobuf';
import { FieldRules } from '@stic/api/gen/stic/api/v1/options.js';
import type { Violation } from '../errors.js';
import { registry } from './descriptors.js';
import { namesOf } from './json.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A recipe is validated where it is frozen, once the preset and the changes are in it. */
export const RECIPE = 'stic.recipe.v1';

type Message = Readonly<Record<string, unknown>>;

/** What a decoded request breaks of its protos' field rules, and what no text or enum may be. Pure. */
export function violationsOf(message: DescMessage, value: Message, path = ''): Violation[] {
  return message.fields.flatMap((field) => {
    const at = path === '' ? field.name : `${path}.${field.name}`;
    const found = valueOf(field, value);
    const rules = rulesOf(field);
    return [
      ...ofField(field, rules, found, at),
      ...entriesOf(field, found, at).flatMap(([entry, where]) => ofEntry(field, rules, entry, where)),
    ];
  });
}

/** ts-proto holds a oneof as `{ $case, value }` under the oneof's name. */
function valueOf(field: DescField, message: Message): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { $case: string; value: unknown } | undefined;
  return chosen?.$case === field.localName ? chosen.value : undefined;
}

function entriesOf({ fieldKind }: DescField, value: unknown, at: string): [unknown, string][] {
  if (value === undefined) return [];
  if (fieldKind === 'list') return (value as unknown[]).map((entry, index) => [entry, `${at}[${index}]`]);
  if (fieldKind === 'map') return Object.entries(value as object).map(([key, entry]) => [entry, `${at}.${key}`]);
  return [[value, at]];
}

function ofField(field: DescField, rules: FieldRules, value: unknown, at: string): Violation[] {
  if (rules.required && isUnset(value)) return [{ field: at, message: `${at} is missing.` }];
  if (field.fieldKind !== 'list' && field.fieldKind !== 'map') return [];
  const count = Object.keys(value ?? {}).length;
  if (rules.minItems !== undefined && count < rules.minItems)
    return [{ field: at, message: `${at} needs at least ${rules.minItems} ${rules.minItems === 1 ? 'entry' : 'entries'}.` }];
  if (rules.maxItems !== undefined && count > rules.maxItems)
    return [{ field: at, message: `${at} has ${count} entries; at most ${rules.maxItems} are allowed.` }];
  return [];
}

function ofEntry(field: DescField, rules: FieldRules, value: unknown, at: string): Violation[] {
  if (field.message && field.message.typeName.startsWith('google.protobuf.'))
    return value instanceof Date && Number.isNaN(value.getTime()) ? [{ field: at, message: `${at} is not a time.` }] : [];
  if (field.message) return field.message.file.proto.package === RECIPE ? [] : violationsOf(field.message, value as Message, at);
  const problem =
    typeof value === 'string'
      ? ofText(field, rules, value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? ofNumber(rules, Number(value))
        : undefined;
  return problem === undefined ? [] : [{ field: at, message: `${at} ${problem}` }];
}

function ofText(field: DescField, rules: FieldRules, value: string): string | undefined {
  if (field.enum) return value === 'UNRECOGNIZED' ? `must be one of ${namesOf(field.enum)}.` : undefined;
  // Postgres stores no NUL.
  if (value.includes('\0')) return 'contains a NUL character.';
  if (value === '') return undefined;
  const length = Array.from(value).length;
  if (rules.uuid && !UUID.test(value)) return 'must be a UUID.';
  if (rules.minLen !== undefined && length < rules.minLen) return `must have at least ${rules.minLen} characters.`;
  if (rules.maxLen !== undefined && length > rules.maxLen) return `has ${length} characters; at most ${rules.maxLen} are allowed.`;
  if (rules.pattern !== '' && !new RegExp(`^(?:${rules.pattern})$`, 'u').test(value)) return `must match ${rules.pattern}.`;
  return undefined;
}

function ofNumber({ gt, gte, lt, lte }: FieldRules, value: number): string | undefined {
  const low = gt === undefined ? gte === undefined || value >= gte : value > gt;
  const high = lt === undefined ? lte === undefined || value <= lte : value < lt;
  if (Number.isFinite(value) && low && high) return undefined;
  const bounds = [
    gt !== undefined && `above ${gt}`,
    gt === undefined && gte !== undefined && `at least ${gte}`,
    lt !== undefined && `below ${lt}`,
    lt === undefined && lte !== undefined && `at most ${lte}`,
  ].filter(Boolean);
  return `must be ${bounds.join(' and ') || 'a number'}.`;
}

const isUnset = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'string' && (value.trim() === '' || value.endsWith('_UNSPECIFIED'))) ||
  (Array.isArray(value) && value.length === 0);

const extension = registry.getExtension('stic.api.v1.field');
const cache = new WeakMap<DescField, FieldRules>();

/** The rules that a field's proto states; empty ones where it states none. */
export function rulesOf(field: DescField): FieldRules {
  let rules = cache.get(field);
  if (rules === undefined) {
    rules = FieldRules.fromPartial({});
    if (extension?.fieldKind === 'message' && hasOption(field, extension))
      rules = FieldRules.decode(toBinary(extension.message, getOption(field, extension) as ProtoMessage));
    cache.set(field, rules);
  }
  return rules;
}
