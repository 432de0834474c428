import { shown } from './printable.js';

/** What can go wrong, in words every transport knows. A new code does not compile until each transport maps it. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'ABORTED'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** What is wrong with one field of a request, its path in the protos' names. */
export type Violation = { field: string; message: string };

/**
 * `field` is the request's field in snake_case; `hint` says what to do about it; `reason` is a trainer's own code, such as
 * MODEL_UNSUPPORTED.
 */
export type ErrorDetails = { field?: string; hint?: string; reason?: string; violations?: readonly Violation[]; cause?: unknown };

/** A longer text, of a list of what is there for example, would not fit a gRPC status. */
const LONGEST_MESSAGE = 1_000;
/** As many fields at fault are told. */
const MOST_VIOLATIONS = 20;

/** An error meant for the caller: its message may be shown to people and never holds a secret. */
export class DomainError extends Error {
  readonly field: string | undefined;
  readonly hint: string | undefined;
  readonly reason: string | undefined;
  private readonly all: readonly Violation[] | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(shown(message, LONGEST_MESSAGE), { cause: details.cause });
    this.name = 'DomainError';
    this.field = details.field;
    this.hint = details.hint === undefined ? undefined : shown(details.hint, LONGEST_MESSAGE);
    this.reason = details.reason;
    this.all = details.violations;
  }

  /** A request that breaks the contract of its proto. */
  static ofViolations(violations: readonly Violation[]): DomainError {
    const [first] = violations;
    const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
    return new DomainError('INVALID_ARGUMENT', `${first?.message ?? 'The request is invalid.'}${more}`, {
      ...(first && { field: first.field }),
      violations: violations.slice(0, MOST_VIOLATIONS),
    });
  }

  /** Every field at fault. */
  get violations(): readonly Violation[] {
    return this.all ?? (this.field === undefined ? [] : [{ field: this.field, message: this.message }]);
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
