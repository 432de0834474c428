// `expect` of the tests, and of programs that check outside the runner. With a second argument its failure begins with
// that message.
import { jestExpect } from '@jest/expect';

type Matcher = (...args: unknown[]) => unknown;

const withMessage = (actual: unknown, message?: string): object =>
  message === undefined ? jestExpect(actual) : telling(jestExpect(actual), message);
Object.assign(globalThis, { expect: Object.assign(withMessage, jestExpect) });

/** The same matchers; what they throw begins with the message. */
function telling(matchers: object, message: string): object {
  return new Proxy(matchers, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member === 'function') return (...args: unknown[]) => called(member as Matcher, args, message);
      return typeof member === 'object' && member !== null ? telling(member, message) : member;
    },
  });
}

function called(matcher: Matcher, args: unknown[], message: string): unknown {
  const tell = (error: unknown): never => {
    if (error instanceof Error) begin(error, message);
    throw error;
  };
  try {
    const result = matcher(...args);
    return result instanceof Promise ? result.catch(tell) : result;
  } catch (error) {
    return tell(error);
  }
}

/** The runner shows the stack, which holds the message. */
function begin(error: Error, message: string): void {
  const text = `${message}\n\n${error.message}`;
  error.stack = error.stack?.replace(error.message, () => text);
  error.message = text;
}
