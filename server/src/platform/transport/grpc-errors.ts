import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@stic/api/gen/google/rpc/error_details.js';
import { Status } from '@stic/api/gen/google/rpc/status.js';
import type { Codec } from '@stic/api/service.js';
import { currentRequestId } from '../caller.js';
import { DomainError, type ErrorCode } from '../errors.js';
import { shown } from '../printable.js';
import { presentable } from './unexpected.js';

/** The standard trailer of a google.rpc.Status. */
export const STATUS_TRAILER = 'grpc-status-details-bin';

const ERROR_DOMAIN = 'stic';
const RETRY_SECONDS = 2;
const LONGEST_DETAILS = 1_000;

export function toGrpcError(thrown: unknown): ServiceError {
  const error = presentable(thrown);
  const code = status[error.code];
  const details = shown(error.hint === undefined ? error.message : `${error.message} ${error.hint}`, LONGEST_DETAILS);
  const metadata = new Metadata();
  const rich: Status = { code, message: error.message, details: detailsOf(error) };
  metadata.set(STATUS_TRAILER, Buffer.from(Status.encode(rich).finish()));
  return Object.assign(new Error(details), { code, details, metadata });
}

/** ErrorInfo always; BadRequest when fields are at fault; RetryInfo when trying again helps; RequestInfo inside a request. */
function detailsOf(error: DomainError): Status['details'] {
  const requestId = currentRequestId();
  const info = { reason: error.reason ?? error.code, domain: ERROR_DOMAIN, metadata: error.hint === undefined ? {} : { hint: error.hint } };
  const fieldViolations = error.violations.map(({ field, message }) => ({ field, description: message }));
  return [
    any('google.rpc.ErrorInfo', ErrorInfo, info),
    ...(fieldViolations.length > 0 ? [any('google.rpc.BadRequest', BadRequest, { fieldViolations })] : []),
    ...(error.code === 'UNAVAILABLE' ? [any('google.rpc.RetryInfo', RetryInfo, { retryDelay: { seconds: BigInt(RETRY_SECONDS) } })] : []),
    ...(requestId === undefined ? [] : [any('google.rpc.RequestInfo', RequestInfo, { requestId })]),
  ];
}

const any = <T>(name: string, codec: Codec<T>, message: object): Status['details'][number] => ({
  typeUrl: `type.googleapis.com/${name}`,
  value: codec.encode(codec.fromPartial(message)).finish(),
});

/** The error that a server of ours put into a status; undefined when it was not one. */
export function fromGrpcError({ code, metadata }: ServiceError): DomainError | undefined {
  const [trailer] = metadata.get(STATUS_TRAILER);
  if (!(trailer instanceof Buffer)) return undefined;
  const { message, details } = Status.decode(trailer);
  const find = <T>(name: string, codec: Codec<T>): T | undefined => {
    const found = details.find(({ typeUrl }) => typeUrl.endsWith(`/${name}`));
    return found && codec.decode(found.value);
  };
  const info = find('google.rpc.ErrorInfo', ErrorInfo);
  const violations =
    find('google.rpc.BadRequest', BadRequest)?.fieldViolations.map(({ field, description }) => ({ field, message: description })) ?? [];
  const hint = info?.metadata['hint'];
  return new DomainError(status[code] as ErrorCode, message, {
    ...(violations[0] && { field: violations[0].field, violations }),
    ...(hint !== undefined && { hint }),
    ...(info && info.reason !== status[code] && { reason: info.reason }),
  });
}
