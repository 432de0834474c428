import { createHash } from 'node:crypto';

/** sha256 of a message, whatever the order of its fields: equal messages have equal digests. */
export const digestOf = (value: unknown): string => createHash('sha256').update(stableJson(value)).digest('hex');

function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
