import { digestOf } from './digest.js';
import { DomainError } from './errors.js';

/** Stands for the content of something that can be updated (AIP-154). */
export const etagOf = (content: unknown): string => digestOf(content).slice(0, 16);

/** FAILED_PRECONDITION when the caller has seen another content than the present one; an empty etag is not checked. */
export function checkEtag(seen: string, present: string, what: string): void {
  if (seen === '' || seen === present) return;
  throw new DomainError('FAILED_PRECONDITION', `${what} has been changed since it was read.`, {
    field: 'etag',
    hint: 'Read it again, then send the change with its etag.',
  });
}
