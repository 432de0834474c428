import { z } from 'zod';
import { invalid } from './errors.js';
import { shown } from './printable.js';

const DEFAULT_SIZE = 50;
const LARGEST_SIZE = 200;

/** The size asked for, but never more than `largest`; the usual one when 0 (proto3's "not set"). */
export function pageSize(requested: number, { usual = DEFAULT_SIZE, largest = LARGEST_SIZE } = {}): number {
  if (!Number.isInteger(requested) || requested < 0) throw invalid('page_size', `page_size must not be negative, as ${requested} is.`);
  return requested === 0 ? usual : Math.min(requested, largest);
}

/** Codes of opaque page tokens whose content is `schema`; `undefined` stands for the first page. */
export function pageTokens<T>(schema: z.ZodType<T>): { encode(position: T): string; decode(token: string): T | undefined } {
  return {
    encode: (position) => Buffer.from(JSON.stringify(position)).toString('base64url'),
    decode: (token) => {
      if (token === '') return undefined;
      const parsed = schema.safeParse(parseJson(Buffer.from(token, 'base64url').toString('utf8')));
      if (!parsed.success) throw invalid('page_token', 'Invalid page_token.', 'Start again without a token.');
      return parsed.data;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Position in a list ordered by a running number. */
export const numberPosition = pageTokens(z.object({ after: z.number().int().min(0) }));

/** Splits rows read with `limit + 1` into the page and whether more follow. */
export function cut<T>(rows: T[], limit: number): { page: T[]; last: T | undefined } {
  if (rows.length <= limit) return { page: rows, last: undefined };
  const page = rows.slice(0, limit);
  return { page, last: page.at(-1) };
}

/** Ids are UUIDs. */
export const isId = (text: string): boolean => z.uuid().safeParse(text).success;

/** Anything but an id cannot exist, and Postgres would refuse it with an error of its own. */
export function checkId(field: string, id: string): void {
  if (!isId(id)) throw invalid(field, id === '' ? `${field} is missing.` : `${field} is not an id: ${shown(id)}`);
}
