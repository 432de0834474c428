// What expect leaves open: narrowing a type, and the error itself.

type Class<E> = abstract new (...args: never[]) => E;

/** The condition holds, and from here on its types do too. */
export function ensure(condition: unknown, message = 'The condition does not hold.'): asserts condition {
  if (!condition) fail(message, ensure);
}

export function fail(message = 'This place must not be reached.', above: (...args: never[]) => unknown = fail): never {
  const error = new Error(message);
  Error.captureStackTrace(error, above);
  throw error;
}

/** The error that the work throws, which must be of the class. */
export function thrown(work: () => unknown): Error;
export function thrown<E>(work: () => unknown, type: Class<E>): E;
export function thrown(work: () => unknown, type: Class<unknown> = Error): unknown {
  try {
    work();
  } catch (error) {
    return ofClass(error, type);
  }
  return fail('Nothing was thrown.', thrown);
}

/** The error that the promise is rejected with, which must be of the class. */
export async function rejection(promise: Promise<unknown>): Promise<Error>;
export async function rejection<E>(promise: Promise<unknown>, type: Class<E>): Promise<E>;
export async function rejection(promise: Promise<unknown>, type: Class<unknown> = Error): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return ofClass(error, type);
  }
  return fail('The promise was not rejected.', rejection);
}

function ofClass(error: unknown, type: Class<unknown>): unknown {
  expect(error).toBeInstanceOf(type);
  return error;
}
