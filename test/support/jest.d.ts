// The functions that the runner makes global. @jest/globals gives their types; it can be imported only where jest loads the modules.
import type * as jest from '@jest/globals';

type Expect = typeof jest.expect;

declare global {
  const test: typeof jest.test;
  const describe: typeof jest.describe;
  const beforeAll: typeof jest.beforeAll;
  const beforeEach: typeof jest.beforeEach;
  const afterAll: typeof jest.afterAll;
  const afterEach: typeof jest.afterEach;
  const expect: Expect & (<T>(actual: T, message?: string) => ReturnType<typeof jest.expect<T>>);
}
