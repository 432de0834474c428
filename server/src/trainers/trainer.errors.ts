import { Metadata, status } from '@grpc/grpc-js';
import { DomainError, type ErrorCode, messageOf } from '../platform/errors.js';
import { reasonOf } from '../platform/transport/grpc-channel.js';

/** Trailer with the code of the trainer's own error. */
const REASON_TRAILER = 'stic-error-code';

type StatusError = Error & { code: status; details: string; metadata?: unknown };

const isStatusError = (error: unknown): error is StatusError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;

/** An error of a call to a trainer, in the words of the domain. */
export function fromTrainer(error: unknown, address: string): DomainError {
  if (error instanceof DomainError) return error;
  if (!isStatusError(error)) return new DomainError('INTERNAL', `The trainer at ${address} failed: ${messageOf(error)}`, { cause: error });
  const code = codeOf(error.code);
  const reason = error.metadata instanceof Metadata ? error.metadata.get(REASON_TRAILER)[0]?.toString() : undefined;
  return new DomainError(code, textOf(code, error.details, address), { cause: error, ...(reason === undefined ? {} : { reason }) });
}

function textOf(code: ErrorCode, details: string, address: string): string {
  if (code === 'UNAVAILABLE') return `The trainer at ${address} cannot be reached: ${reasonOf(details)}.`;
  if (code === 'DEADLINE_EXCEEDED') return `The trainer at ${address} did not answer in time.`;
  if (code === 'INTERNAL') return `The trainer at ${address} failed: ${details}`;
  return details;
}

function codeOf(code: status): ErrorCode {
  switch (code) {
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return 'INVALID_ARGUMENT';
    case status.NOT_FOUND:
      return 'NOT_FOUND';
    case status.ALREADY_EXISTS:
      return 'ALREADY_EXISTS';
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'PERMISSION_DENIED';
    case status.FAILED_PRECONDITION:
      return 'FAILED_PRECONDITION';
    case status.RESOURCE_EXHAUSTED:
      return 'RESOURCE_EXHAUSTED';
    case status.CANCELLED:
      return 'CANCELLED';
    case status.DEADLINE_EXCEEDED:
      return 'DEADLINE_EXCEEDED';
    case status.UNAVAILABLE:
    case status.ABORTED:
      return 'UNAVAILABLE';
    case status.OK:
    case status.UNKNOWN:
    case status.UNIMPLEMENTED:
    case status.INTERNAL:
    case status.DATA_LOSS:
      return 'INTERNAL';
  }
}
