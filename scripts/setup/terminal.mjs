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

/** Prints a problem the way every command here does; anything else keeps its stack, because it is our mistake. */
export function printProblem(error) {
  if (error instanceof Problem) {
    console.error(`\n${error.message}`);
    if (error.todo) console.error(`\nWhat to do: ${error.todo}`);
  } else {
    console.error(error);
  }
}
