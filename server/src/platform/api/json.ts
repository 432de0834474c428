import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import type { Violation } from '../errors.js';
import { shown } from '../printable.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * Checks protobuf JSON against its descriptor at every depth and returns it with the protos' own field names, as the generated
 * `fromJSON` reads it. Both spellings of a name are taken (snake_case and camelCase); null is as good as absent. What is unknown or
 * of another type is added to `violations`.
 */
export function strictJson(message: DescMessage, value: unknown, violations: Violation[], path = ''): Json {
  if (!isObject(value)) {
    violations.push({ field: path || 'body', message: `${path || 'The request'} must be a JSON object.` });
    return {};
  }
  const read: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    const field = fieldOf(message, key);
    const at = join(path, field?.name ?? shown(key));
    if (field === undefined) violations.push({ field: at, message: `${at} is not a field${fieldsOf(message)}` });
    else if (given !== null) read[field.name] = fieldValue(field, given, violations, at);
  }
  for (const { fields, name } of message.oneofs) {
    const set = fields.filter((field) => field.name in read);
    if (set.length > 1)
      violations.push({
        field: join(path, name),
        message: `Only one of ${set.map((field) => join(path, field.name)).join(', ')} can be set.`,
      });
  }
  return read;
}

/** A query's texts in the types of their fields: `true` as a boolean, one value as a list of one. */
export function fromQuery(message: DescMessage, query: Json): Json {
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => {
      const field = fieldOf(message, key);
      if (field?.fieldKind === 'list')
        return [key, (Array.isArray(value) ? value : [value]).map((entry: unknown) => asBoolean(field.scalar, entry))];
      return [key, asBoolean(field?.scalar, value)];
    }),
  );
}

/** By either spelling of its name. */
const fieldOf = ({ fields }: DescMessage, key: string): DescField | undefined =>
  fields.find(({ name, jsonName }) => name === key || jsonName === key);

const asBoolean = (scalar: ScalarType | undefined, value: unknown): unknown =>
  scalar === ScalarType.BOOL && (value === 'true' || value === 'false') ? value === 'true' : value;

function fieldValue(field: DescField, value: unknown, violations: Violation[], at: string): unknown {
  switch (field.fieldKind) {
    case 'list':
      if (!Array.isArray(value)) return wrong(violations, at, 'a list');
      return value.map((entry: unknown, index) => single(field, entry, violations, `${at}[${index}]`));
    case 'map':
      if (!isObject(value)) return wrong(violations, at, 'an object');
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, single(field, entry, violations, join(at, shown(key)))]));
    default:
      return single(field, value, violations, at);
  }
}

type Single = { message?: DescMessage; enum?: DescEnum; scalar?: ScalarType };

function single({ message, enum: enumeration, scalar }: Single, value: unknown, violations: Violation[], at: string): unknown {
  if (message?.typeName === 'google.protobuf.Timestamp')
    return isTimestamp(value) ? value : wrong(violations, at, 'a time such as 2026-01-31T02:30:00Z');
  if (message?.typeName === 'google.protobuf.Duration') return isDuration(value) ? value : wrong(violations, at, 'a duration such as 1.5s');
  if (message?.typeName === 'google.protobuf.FieldMask')
    return typeof value === 'string' ? value : wrong(violations, at, 'names joined by commas');
  if (message) return strictJson(message, value, violations, at);
  if (enumeration) return isEnum(enumeration, value) ? value : wrong(violations, at, `one of ${namesOf(enumeration)}`);
  const { is, what } = SCALARS[scalar ?? ScalarType.STRING];
  return is(value) ? value : wrong(violations, at, what);
}

type ScalarRule = { is: (value: unknown) => boolean; what: string };

const text: ScalarRule = { is: (value) => typeof value === 'string', what: 'a text' };
const bytes: ScalarRule = { is: (value) => typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value), what: 'bytes in base64' };
const flag: ScalarRule = { is: (value) => typeof value === 'boolean', what: 'true or false' };
const real: ScalarRule = { is: (value) => isNumeric(value) && Number.isFinite(Number(value)), what: 'a number' };
const whole = (min: bigint, max: bigint): ScalarRule => ({
  is: (value) => isNumeric(value) && /^-?\d+$/.test(String(value)) && BigInt(value) >= min && BigInt(value) <= max,
  what: min === 0n ? `a whole number from 0 to ${String(max)}` : `a whole number of ${max > 2n ** 32n ? 64 : 32} bits`,
});
const int32 = whole(-(2n ** 31n), 2n ** 31n - 1n);
const int64 = whole(-(2n ** 63n), 2n ** 63n - 1n);
const uint32 = whole(0n, 2n ** 32n - 1n);
const uint64 = whole(0n, 2n ** 64n - 1n);

const SCALARS: Readonly<Record<ScalarType, ScalarRule>> = {
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: bytes,
  [ScalarType.BOOL]: flag,
  [ScalarType.DOUBLE]: real,
  [ScalarType.FLOAT]: real,
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

/** Notes what the value should have been; it is read as absent. */
function wrong(violations: Violation[], at: string, what: string): unknown {
  violations.push({ field: at, message: `${at} must be ${what}.` });
  return undefined;
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumeric = (value: unknown): value is number | string =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && value === value.trim());

const isTimestamp = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value) &&
  !Number.isNaN(Date.parse(value));

const isDuration = (value: unknown): boolean => typeof value === 'string' && /^-?\d{1,12}(\.\d{1,9})?s$/.test(value);

const isEnum = ({ values }: DescEnum, value: unknown): boolean => values.some(({ name, number }) => name === value || number === value);

/** The names of an enum's values that say something. */
export const namesOf = ({ values }: DescEnum): string =>
  values
    .filter(({ number }) => number !== 0)
    .map(({ name }) => name)
    .join(', ');

const fieldsOf = ({ fields }: DescMessage): string =>
  fields.length === 0 ? ': none is expected here.' : ` here. Fields are: ${fields.map(({ name }) => name).join(', ')}.`;
