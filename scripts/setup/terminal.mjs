// What people see while a command sets things up: one line per step with its time, and problems in words.

const isTerminal = process.stdout.isTTY === true;

/** A problem the reader can solve: what is wrong and what to do about it. */
export class Problem extends Error {
  constructor(message, todo) {
    super(message);
    this.todo = todo;
  }
}

/** Runs `work` under a line that counts the seconds; `note` says on a slow first time why it is slow. */
export async function step(name, work, note = '') {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(1)} s`;
  const running = () => `  … ${name}${note ? ` (${note})` : ''} ${seconds()}`;
  if (!isTerminal) console.log(`  … ${name}${note ? ` (${note})` : ''}`);
  const timer = isTerminal ? setInterval(() => process.stdout.write(`\r\x1b[2K${running()}`), 200) : undefined;
  try {
    const result = await work();
    clearInterval(timer);
    process.stdout.write(`${isTerminal ? '\r\x1b[2K' : ''}  ✓ ${name} ${seconds()}\n`);
    return result;
  } catch (error) {
    clearInterval(timer);
    process.stdout.write(`${isTerminal ? '\r\x1b[2K' : ''}  ✗ ${name} ${seconds()}\n`);
    throw error;
  }
}

const FAULTS = {
  EACCES: 'this user may not write it',
  EPERM: 'this user may not write it',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
};

/** Prints a problem the way every command here does; anything else keeps its stack, because it is our mistake. */
export function printProblem(error) {
  const problem = error instanceof Problem ? error : fromSystem(error);
  if (problem === undefined) {
    console.error(error);
    return;
  }
  console.error(`\nerror: ${problem.message}`);
  if (problem.todo) console.error(`hint: ${problem.todo}`);
}

/** A refusal of the file system as a Problem: the checkout may belong to someone else. */
function fromSystem(error) {
  const why = FAULTS[error?.code];
  if (why === undefined || error.path === undefined) return undefined;
  return new Problem(
    `${error.path} cannot be written: ${why}.`,
    error.code === 'ENOSPC' ? 'Free some disk space and run the command again.' : OWN_CHECKOUT,
  );
}

export const OWN_CHECKOUT = 'Run the command as the user that the checkout belongs to, or make a checkout of your own.';
