import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { assertUnreachable, type DomainError, type ErrorCode } from '../errors.js';
import { presentable } from './unexpected.js';

/** Trailer with the whole error as JSON: code, message, field, hint. */
export const ERROR_TRAILER = 'stic-error-bin';

export function toGrpcError(thrown: unknown): ServiceError {
  const error = presentable(thrown);
  const metadata = new Metadata();
  metadata.set(ERROR_TRAILER, Buffer.from(JSON.stringify(error)));
  const details = textOf(error);
  return Object.assign(new Error(details), { code: grpcStatus(error.code), details, metadata });
}

const textOf = (error: DomainError): string => (error.hint === undefined ? error.message : `${error.message} ${error.hint}`);

function grpcStatus(code: ErrorCode): status {
  switch (code) {
    case 'INVALID_ARGUMENT':
      return status.INVALID_ARGUMENT;
    case 'NOT_FOUND':
      return status.NOT_FOUND;
    case 'ALREADY_EXISTS':
      return status.ALREADY_EXISTS;
    case 'PERMISSION_DENIED':
      return status.PERMISSION_DENIED;
    case 'FAILED_PRECONDITION':
      return status.FAILED_PRECONDITION;
    case 'RESOURCE_EXHAUSTED':
      return status.RESOURCE_EXHAUSTED;
    case 'CANCELLED':
      return status.CANCELLED;
    case 'DEADLINE_EXCEEDED':
      return status.DEADLINE_EXCEEDED;
    case 'UNAVAILABLE':
      return status.UNAVAILABLE;
    case 'INTERNAL':
      return status.INTERNAL;
    default:
      return assertUnreachable(code);
  }
}
