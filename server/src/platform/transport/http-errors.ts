import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';
import type { Response } from 'express';
import { currentRequestId } from '../caller.js';
import { assertUnreachable, DomainError, type ErrorCode, type Violation } from '../errors.js';
import { frameworkStatus, presentable } from './unexpected.js';

/** Every error of an HTTP request leaves as an RFC 9457 problem. */
@Catch()
export class HttpErrors implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    sendError(host.switchToHttp().getResponse<Response>(), thrown);
  }
}

/** RFC 9457, with members of our own: `code` is the canonical gRPC code, `errors` names every field at fault. */
export type Problem = {
  type: 'about:blank';
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  field?: string;
  hint?: string;
  reason?: string;
  errors?: Violation[];
  request_id?: string;
};

export function problemOf(error: DomainError, status: number = httpStatus(error.code)): Problem {
  const { code, message, field, hint, reason, violations } = error;
  const requestId = currentRequestId();
  return {
    type: 'about:blank',
    title: TITLES[code],
    status,
    detail: message,
    code,
    ...(field !== undefined && { field }),
    ...(hint !== undefined && { hint }),
    ...(reason !== undefined && { reason }),
    ...(violations.length > 0 && { errors: [...violations] }),
    ...(requestId !== undefined && { request_id: requestId }),
  };
}

export function sendError(response: Response, thrown: unknown, status?: number): void {
  const error = presentable(thrown);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem = problemOf(error, status ?? tooLarge(thrown));
  if (error.code === 'UNAVAILABLE') response.set('Retry-After', '2');
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** A body that is too large is 413, a quota 429. */
const tooLarge = (thrown: unknown): number | undefined => (frameworkStatus(thrown) === 413 ? 413 : undefined);

const TITLES: Readonly<Record<ErrorCode, string>> = {
  INVALID_ARGUMENT: 'Invalid argument',
  NOT_FOUND: 'Not found',
  ALREADY_EXISTS: 'Already exists',
  UNAUTHENTICATED: 'Not authenticated',
  PERMISSION_DENIED: 'Permission denied',
  ABORTED: 'Aborted by a concurrent change',
  FAILED_PRECONDITION: 'Failed precondition',
  RESOURCE_EXHAUSTED: 'Resource exhausted',
  CANCELLED: 'Cancelled',
  DEADLINE_EXCEEDED: 'Deadline exceeded',
  UNAVAILABLE: 'Unavailable',
  INTERNAL: 'Internal error',
};

const CLIENT_CLOSED_REQUEST = 499;

/** google.rpc.Code's own mapping to HTTP (google/rpc/code.proto). */
function httpStatus(code: ErrorCode): number {
  switch (code) {
    case 'INVALID_ARGUMENT':
    case 'FAILED_PRECONDITION':
      return HttpStatus.BAD_REQUEST;
    case 'UNAUTHENTICATED':
      return HttpStatus.UNAUTHORIZED;
    case 'PERMISSION_DENIED':
      return HttpStatus.FORBIDDEN;
    case 'NOT_FOUND':
      return HttpStatus.NOT_FOUND;
    case 'ALREADY_EXISTS':
    case 'ABORTED':
      return HttpStatus.CONFLICT;
    case 'RESOURCE_EXHAUSTED':
      return HttpStatus.TOO_MANY_REQUESTS;
    case 'CANCELLED':
      return CLIENT_CLOSED_REQUEST;
    case 'DEADLINE_EXCEEDED':
      return HttpStatus.GATEWAY_TIMEOUT;
    case 'UNAVAILABLE':
      return HttpStatus.SERVICE_UNAVAILABLE;
    case 'INTERNAL':
      return HttpStatus.INTERNAL_SERVER_ERROR;
    default:
      return assertUnreachable(code);
  }
}
