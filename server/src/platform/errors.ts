/** What can go wrong, in words every transport knows. A new code does not compile until each transport maps it. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/**
 * `field` is the request's field in snake_case; `hint` says what to do about it; `reason` is a trainer's own code, such as
 * MODEL_UNSUPPORTED.
 */
export type ErrorDetails = { field?: string; hint?: string; reason?: string; cause?: unknown };

/** An error meant for the caller: its message may be shown to people and never holds a secret. */
export class DomainError extends Error {
  readonly field: string | undefined;
  readonly hint: string | undefined;
  readonly reason: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'DomainError';
    this.field = details.field;
    this.hint = details.hint;
    this.reason = details.reason;
  }

  /** The form errors have in JSON. */
  toJSON(): { code: ErrorCode; message: string; field?: string; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

export const invalid = (field: string, message: string, hint?: string): DomainError =>
  new DomainError('INVALID_ARGUMENT', message, hint === undefined ? { field } : { field, hint });

export const notFound = (message: string, field?: string): DomainError =>
  new DomainError('NOT_FOUND', message, field === undefined ? {} : { field });

/** The text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For the default branch of an exhaustive switch. */
export function assertUnreachable(value: never): never {
  throw new Error(`unexpected value ${String(value)}`);
}
