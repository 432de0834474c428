import { randomUUID } from 'node:crypto';
import { HttpException, Logger } from '@nestjs/common';
import { currentRequestId } from '../caller.js';
import { isDatabaseAway } from '../database/away.js';
import { DomainError } from '../errors.js';
import { shown } from '../printable.js';

const logger = new Logger('Unexpected');

/** The error itself when it is meant for the caller; otherwise one that says nothing but where to look in the log. */
export function presentable(error: unknown): DomainError {
  const known = error instanceof DomainError ? error : fromFramework(error);
  if (known !== undefined) return known;
  if (isDatabaseAway(error))
    return new DomainError('UNAVAILABLE', 'The database does not answer.', { hint: 'Try again in a few seconds.' });
  const id = currentRequestId() ?? randomUUID();
  logger.error(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new DomainError('INTERNAL', `Unexpected error (${id}).`, { hint: 'The server log has the details under this id.' });
}

/** Guards, pipes and the body parser throw errors with an HTTP status and a text for the caller, over whatever transport they ran. */
function fromFramework(thrown: unknown): DomainError | undefined {
  const status = frameworkStatus(thrown);
  if (status === undefined || status >= 500 || !(thrown instanceof Error)) return undefined;
  if (status === 401) return new DomainError('UNAUTHENTICATED', thrown.message);
  if (status === 403) return new DomainError('PERMISSION_DENIED', thrown.message);
  if (status === 404) return new DomainError('NOT_FOUND', 'There is nothing at this address.');
  if (status === 413) return new DomainError('RESOURCE_EXHAUSTED', 'The request is too large.');
  return new DomainError('INVALID_ARGUMENT', `The request cannot be read: ${shown(thrown.message)}`);
}

/** The HTTP status of an error of Nest or of the body parser. */
export function frameworkStatus(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (!(thrown instanceof Error) || !('status' in thrown) || !('expose' in thrown) || thrown.expose !== true) return undefined;
  return typeof thrown.status === 'number' ? thrown.status : undefined;
}
