import { invalid } from '../errors.js';
import { shown } from '../printable.js';
import { type Fields, type FieldType, findField, namesOf } from './fields.js';

/** SQL to sort by; `key` is the parameter its placeholder :order_<n> stands for, if it has one. */
export type SortKey = {
  readonly sql: string;
  readonly type: FieldType;
  readonly nullable: boolean;
  readonly descending: boolean;
  readonly key?: string;
  readonly join?: { readonly rows: string; readonly on: string; readonly as: string };
};

const LONGEST_ORDER = 500;
const MOST_KEYS = 5;
const KEY = /^(\S+?)(?:\s+(asc|desc))?$/;

/** Reads an AIP-132 order: "created_at desc, name". Ascending unless it says so. */
export function parseOrder(text: string, fields: Fields): SortKey[] {
  if (text.length > LONGEST_ORDER) throw invalid('order_by', `order_by has at most ${LONGEST_ORDER} characters, not ${text.length}.`);
  if (text.trim() === '') return [];
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > MOST_KEYS) throw invalid('order_by', `order_by names at most ${MOST_KEYS} fields, not ${parts.length}.`);
  const keys = parts.map((part, position) => sortKey(part, position, fields));
  const names = parts.map((part) => KEY.exec(part)?.[1]);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw invalid('order_by', `order_by names ${shown(repeated)} twice.`);
  return keys;
}

function sortKey(part: string, position: number, fields: Fields): SortKey {
  const [, name, direction] = KEY.exec(part) ?? [];
  const sortable = `Fields are: ${namesOf(onlySortable(fields))}.`;
  if (name === undefined || part.includes('\0')) {
    throw invalid('order_by', `order_by: expected a field, then asc or desc, got "${shown(part)}".`, sortable);
  }
  const found = findField(onlySortable(fields), name.split('.'));
  if (!found?.field.value) throw invalid('order_by', `order_by: there is no field "${shown(name)}" to sort by.`, sortable);
  const { field, key } = found;
  if (field.keyed === true && key === undefined) throw invalid('order_by', `order_by: ${name} takes a name, as in ${name}.<name>.`);
  const [placeholder, as] = [`CAST(:order_${position} AS text)`, `sorted_${position}`];
  return {
    sql: found.field.value(placeholder, as),
    type: field.type,
    nullable: field.nullable === true,
    descending: direction === 'desc',
    ...(key === undefined ? {} : { key }),
    ...(field.join && { join: { ...field.join(placeholder, as), as } }),
  };
}

const onlySortable = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, { value }]) => value));
