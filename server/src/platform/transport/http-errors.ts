import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, HttpStatus } from '@nestjs/common';
import type { Response } from 'express';
import { assertUnreachable, DomainError, type ErrorCode } from '../errors.js';
import { presentable } from './unexpected.js';

/** Every error of an HTTP request leaves as `{"error":{"code","message","field"?,"hint"?}}`. */
@Catch()
export class HttpErrors implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    sendError(host.switchToHttp().getResponse<Response>(), thrown);
  }
}

export function sendError(response: Response, thrown: unknown): void {
  const error = presentable(fromFramework(thrown) ?? thrown);
  if (response.headersSent) response.destroy();
  else response.status(httpStatus(error.code)).json({ error });
}

/** Errors of Nest and of the body parser carry an HTTP status and a text for the caller. */
function fromFramework(thrown: unknown): DomainError | undefined {
  if (thrown instanceof DomainError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : parserStatus(thrown);
  if (status === undefined || status >= 500 || !(thrown instanceof Error)) return undefined;
  if (status === 404) return new DomainError('NOT_FOUND', 'There is nothing at this address.');
  if (status === 413) return new DomainError('RESOURCE_EXHAUSTED', 'The request is too large.');
  return new DomainError('INVALID_ARGUMENT', `The request cannot be read: ${thrown.message}`);
}

function parserStatus(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown) || !('expose' in thrown) || thrown.expose !== true) return undefined;
  return typeof thrown.status === 'number' ? thrown.status : undefined;
}

function httpStatus(code: ErrorCode): HttpStatus {
  switch (code) {
    case 'INVALID_ARGUMENT':
      return HttpStatus.BAD_REQUEST;
    case 'NOT_FOUND':
      return HttpStatus.NOT_FOUND;
    case 'ALREADY_EXISTS':
      return HttpStatus.CONFLICT;
    case 'PERMISSION_DENIED':
      return HttpStatus.FORBIDDEN;
    case 'FAILED_PRECONDITION':
      return HttpStatus.PRECONDITION_FAILED;
    case 'RESOURCE_EXHAUSTED':
      return HttpStatus.PAYLOAD_TOO_LARGE;
    case 'CANCELLED':
      return HttpStatus.REQUEST_TIMEOUT;
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
