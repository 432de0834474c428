import { type ServiceError, status } from '@grpc/grpc-js';
import { DomainError } from '../platform/errors.js';
import { fromGrpcError } from '../platform/transport/grpc-errors.js';
import { reasonOf } from '../platform/transport/grpc-channel.js';
import * as terminal from './terminal.js';
import { wrap } from './text.js';

/** An error for the person at the terminal: one message, and what to do about it. Shown without a stack. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly hint = '',
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** The server's error in its own words, with the request field at fault and the hint. */
export function fromService(error: ServiceError): CliError {
  const told = fromGrpcError(error);
  if (told === undefined) {
    if (error.code !== status.UNAVAILABLE) return new CliError(error.details || error.message);
    return new CliError(`The server cannot be reached: ${reasonOf(error.details)}.`, 'Run the same command again: it continues the run.');
  }
  const where = told.field !== undefined && !told.message.includes(told.field) ? `${told.field}: ` : '';
  return new CliError(`${where}${told.message}`, told.hint);
}

/** Prints anything thrown: what is meant for people in plain words, a mistake of ours with its stack. */
export function printError(error: unknown): void {
  if (!(error instanceof CliError || error instanceof DomainError)) {
    terminal.printError(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  const lines = `error: ${error.message}`.split('\n').map((line) => wrap(line, terminal.width()));
  terminal.printError(`\n${lines.join('\n')}`);
  if (error.hint) terminal.printError(wrap(`hint: ${error.hint}`, terminal.width()));
}
