import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { currentRequestId } from '../caller.js';
import { isDatabaseAway } from '../database/away.js';
import { DomainError } from '../errors.js';

const logger = new Logger('Unexpected');

/** The error itself when it is meant for the caller; otherwise one that says nothing but where to look in the log. */
export function presentable(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (isDatabaseAway(error))
    return new DomainError('UNAVAILABLE', 'The database does not answer.', { hint: 'Try again in a few seconds.' });
  const id = currentRequestId() ?? randomUUID();
  logger.error(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new DomainError('INTERNAL', `Something unexpected happened (${id}).`, { hint: 'The server log has the details under this id.' });
}
