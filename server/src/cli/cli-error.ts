import type { ServiceError } from '@grpc/grpc-js';
import { ERROR_TRAILER } from '../platform/transport/grpc-errors.js';

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

type ErrorBody = { message: string; field?: string; hint?: string };

/** The server's error in its own words, with the request field at fault and the hint. */
export function fromService(error: ServiceError): CliError {
  const [trailer] = error.metadata.get(ERROR_TRAILER);
  if (trailer === undefined) return new CliError(error.details || error.message);
  const body = JSON.parse(trailer.toString()) as ErrorBody;
  const where = body.field !== undefined && !body.message.includes(body.field) ? `${body.field}: ` : '';
  return new CliError(`${where}${body.message}`, body.hint);
}

/** Prints anything thrown: what is meant for people in plain words, a mistake of ours with its stack. */
export function printError(error: unknown): void {
  if (error instanceof CliError) {
    console.error(`\nerror: ${error.message}`);
    if (error.hint) console.error(`What to do: ${error.hint}`);
  } else {
    console.error(error);
  }
}
