// Loaded by the runner before the test files. jest-light-runner knows no time limit and dies of an error that nobody
// catches; here each test and hook gets a limit, and such an error is a failure of the test that runs.
import { addEventHandler } from 'jest-circus';

const DEFAULT_LIMIT_MS = 120_000;
// A test may replace the global one.
const { setTimeout, clearTimeout } = globalThis;

addEventHandler(({ name }, { currentDescribeBlock }) => {
  const added = { add_test: currentDescribeBlock.children, add_hook: currentDescribeBlock.hooks }[name]?.at(-1);
  if (added) added.fn = limited(added.fn, added.timeout ?? DEFAULT_LIMIT_MS);
});

let failRunning;
process.on('uncaughtException', (error) => {
  if (failRunning) return failRunning(error);
  console.error(error);
  process.exit(1);
});

function limited(work, limit) {
  return async () => {
    let timer;
    const failed = new Promise((_, reject) => {
      failRunning = reject;
      timer = setTimeout(() => reject(new Error(`It did not end within its limit of ${limit / 1000} seconds.`)), limit);
    });
    try {
      await Promise.race([work(), failed]);
    } finally {
      clearTimeout(timer);
      failRunning = undefined;
    }
  };
}
