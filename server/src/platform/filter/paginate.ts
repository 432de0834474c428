import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { z } from 'zod';
import { digestOf } from '../digest.js';
import { invalid } from '../errors.js';
import { pageSize, pageTokens } from '../pages.js';
import { refuseNul } from '../text.js';
import { compileFilter } from './compile.js';
import type { Fields, FieldType } from './fields.js';
import { parseOrder, type SortKey } from './order.js';
import { readTime, TYPES } from './values.js';

/** What can be listed: its fields, its order unless a request has one, and what tells its rows apart. */
export type List = {
  readonly name: string;
  readonly fields: Fields;
  readonly order: string;
  /** A field whose value no two rows of the list share. */
  readonly unique: string;
};

/** What every list request has; its other fields belong to the list. */
export type ListRequest = { readonly pageSize: number; readonly pageToken: string; readonly filter: string; readonly orderBy: string };

/** Digest of the request, then the last row's value of each sort key. */
const tokens = pageTokens(z.tuple([z.string()]).rest(z.string().nullable()));

/** Texts in which the value of a sort key can come back: checked, for a token is the caller's. */
const SHAPES: Readonly<Record<FieldType, RegExp>> = {
  text: /^[^\0]*$/u,
  enum: /^\w+$/,
  boolean: /^(true|false)$/,
  uuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/,
  integer: /^-?\d{1,18}$/,
  number: /^-?(\d+(\.\d+)?(e[-+]?\d{1,2})?|Infinity|NaN)$/,
  duration: /^-?\d+(\.\d+)?(e[-+]?\d{1,2})?$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
};

/**
 * A page of the query's rows: filtered, ordered, and from where the token says. Pages follow the last row's values, not a count, so a
 * row that comes or goes meanwhile shifts nothing. A token is good only for the request it came from.
 */
export async function paginate<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  { name, fields, order, unique }: List,
  request: ListRequest,
): Promise<{ page: Row[]; nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  refuseNul(request);
  const condition = compileFilter(request.filter, fields);
  const keys = sortKeys(request.orderBy.trim() === '' ? order : request.orderBy, fields, unique);
  const digest = digestOf([name, { ...request, pageSize: 0, pageToken: '' }]).slice(0, 16);
  const after = readToken(request.pageToken, digest, keys);

  if (condition) query.andWhere(condition.sql, condition.parameters);
  if (after) query.andWhere(...follow(keys, after));
  for (const [index, key] of keys.entries()) {
    if (key.join) query.leftJoin(key.join.rows, key.join.as, key.join.on);
    query.addSelect(asText(key), `sort_${index}`);
    query.addOrderBy(key.sql, key.descending ? 'DESC' : 'ASC', key.nullable ? 'NULLS LAST' : undefined);
    if (key.key !== undefined) query.setParameter(`order_${index}`, key.key);
  }
  const { entities, raw } = await query.limit(limit + 1).getRawAndEntities<Record<string, string | null>>();
  const last = entities.length > limit ? raw[limit - 1] : undefined;
  return {
    page: entities.slice(0, limit),
    nextPageToken: last ? tokens.encode([digest, ...keys.map((_, index) => last[`sort_${index}`] ?? null)]) : '',
  };
}

/** The order and, behind it, the unique field: then no two rows are equal. */
function sortKeys(order: string, fields: Fields, unique: string): SortKey[] {
  const keys = parseOrder(order, fields);
  const [last] = parseOrder(unique, fields);
  if (!last || keys.some(({ sql }) => sql === last.sql)) return keys;
  return [...keys, { ...last, descending: keys.at(-1)?.descending ?? false }];
}

function readToken(token: string, digest: string, keys: readonly SortKey[]): (string | null)[] | undefined {
  const decoded = tokens.decode(token);
  if (!decoded) return undefined;
  const [of, ...values] = decoded;
  if (of !== digest) {
    throw invalid('page_token', 'page_token belongs to another request.', 'Send it with the filter and the order it was given for.');
  }
  const fits = values.length === keys.length && keys.every((key, index) => isValue(key, values[index] ?? null));
  if (!fits) throw invalid('page_token', 'Invalid page_token.', 'Start again without a token.');
  return values;
}

function isValue({ type, nullable }: SortKey, value: string | null): boolean {
  if (value === null) return nullable;
  return SHAPES[type].test(value) && (type !== 'time' || readTime(value) !== undefined);
}

/** Rows behind the last one: as one comparison of rows where an index can serve it, otherwise key by key. NULL comes last. */
function follow(keys: readonly SortKey[], values: readonly (string | null)[]): [string, Record<string, string | null>] {
  const parameters = Object.fromEntries(values.map((value, index) => [`after_${index}`, value]));
  const value = (index: number): string => `CAST(:after_${index} AS ${TYPES[keys[index]?.type ?? 'text'].sql})`;
  const sign = (key: SortKey): string => (key.descending ? '<' : '>');
  const [first] = keys;
  if (first && keys.every((key) => !key.nullable && key.descending === first.descending)) {
    return [`(${keys.map(({ sql }) => sql).join(', ')}) ${sign(first)} (${keys.map((_, index) => value(index)).join(', ')})`, parameters];
  }
  const equal = (key: SortKey, index: number): string => (values[index] === null ? `${key.sql} IS NULL` : `${key.sql} = ${value(index)}`);
  const behind = (key: SortKey, index: number): string => {
    if (values[index] === null) return 'false';
    return `(${key.sql} ${sign(key)} ${value(index)}${key.nullable ? ` OR ${key.sql} IS NULL` : ''})`;
  };
  const steps = keys.map((key, index) => [...keys.slice(0, index).map(equal), behind(key, index)].join(' AND '));
  return [`(${steps.map((step) => `(${step})`).join(' OR ')})`, parameters];
}

/** To the microsecond and the last digit, whatever the session's settings are. */
function asText({ sql, type }: SortKey): string {
  return type === 'time' ? `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : `CAST(${sql} AS text)`;
}
