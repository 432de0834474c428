import { isId } from '../pages.js';
import { shown } from '../printable.js';
import type { Field, FieldType } from './fields.js';
import { filterError, type Literal } from './parse.js';

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const INTEGER = /^[-+]?\d{1,18}$/;
const TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+]\d\d:\d\d))?$/i;
const DURATION = /^(\d{1,9}(?:\.\d{1,9})?)([smhd])$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** What a value of each type is called, and the type of its parameter in SQL. */
export const TYPES: Readonly<Record<FieldType, { readonly called: string; readonly sql: string }>> = {
  text: { called: 'a text', sql: 'text' },
  uuid: { called: 'an id', sql: 'uuid' },
  integer: { called: 'a whole number', sql: 'bigint' },
  number: { called: 'a number', sql: 'double precision' },
  boolean: { called: 'true or false', sql: 'boolean' },
  time: { called: 'a time such as 2026-01-31T08:00:00Z or 2026-01-31', sql: 'timestamptz' },
  duration: { called: 'a duration such as 90s, 15m, 2h or 3d', sql: 'double precision' },
  enum: { called: 'one of its values', sql: 'text' },
};

/** The parameter a value stands for; INVALID_ARGUMENT when it is none of the field's type. */
export function readValue(name: string, field: Field, literal: Literal): string {
  const found = read(field, literal.text);
  if (found !== undefined) return found;
  const called = field.values ? `one of ${field.values.join(', ')}` : TYPES[field.type].called;
  throw filterError(literal.at, `${shown(name)} takes ${called}, not "${shown(literal.text)}"`);
}

function read({ type, values = [] }: Field, text: string): string | undefined {
  switch (type) {
    case 'text':
      return text;
    case 'uuid':
      return isId(text) ? text : undefined;
    case 'integer':
      return INTEGER.test(text) ? text : undefined;
    case 'number':
      return NUMBER.test(text) && Number.isFinite(Number(text)) ? String(Number(text)) : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? text : undefined;
    case 'time':
      return readTime(text);
    case 'duration': {
      const [, count, unit = ''] = DURATION.exec(text) ?? [];
      return count === undefined ? undefined : String(Number(count) * (SECONDS[unit] ?? 1));
    }
    case 'enum':
      return values.find((value) => value === text || shortName(value, values) === text);
  }
}

/** A time that exists, in UTC: Postgres would answer 30 February and the year 0 with an error of its own. */
export function readTime(text: string): string | undefined {
  const date = TIME.exec(text)?.[1];
  const midnight = new Date(`${date ?? ''}T00:00:00Z`);
  const moment = new Date(text.toUpperCase());
  if (Number.isNaN(moment.getTime()) || Number.isNaN(midnight.getTime())) return undefined;
  const year = moment.getUTCFullYear();
  return midnight.toISOString().slice(0, 10) === date && year > 0 && year < 10_000 ? moment.toISOString() : undefined;
}

/** RUNNING of RUN_STATE_RUNNING: without what all names of the enum begin with. */
function shortName(value: string, values: readonly string[]): string {
  let length = value.lastIndexOf('_') + 1;
  while (length > 0 && !values.every((other) => other.startsWith(value.slice(0, length)))) length = value.lastIndexOf('_', length - 2) + 1;
  return value.slice(length);
}
