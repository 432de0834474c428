// Sets up, then runs a compiled program: `npm start` the product, `npm run demo` the demonstration, `npm run stic` the tools beside it,
// `npm run chaos` the long test by killing.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { help } from './setup/options.mjs';
import { root } from './setup/stamps.mjs';
import { printProblem } from './setup/terminal.mjs';
import { setup } from './setup.mjs';

const PROGRAMS = {
  start: 'dist/server/src/main.js',
  demo: 'dist/server/src/cli/demo.js',
  stic: 'dist/server/src/cli/stic.js',
  chaos: 'dist/test/chaos/chaos.js',
};
// Ctrl-C reaches this process once from the terminal and once from npm; whatever comes this soon after is the same key.
const SAME_SIGNAL_MS = 1_000;

const [verb, ...args] = process.argv.slice(2);
help(verb, args);
try {
  await setup();
  run(path.join(root, PROGRAMS[verb]), args);
} catch (error) {
  printProblem(error);
  process.exitCode = 1;
}

/** Runs the program in a process group of its own, so that this process alone decides which signals reach it, and how often. */
function run(program, args) {
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], { stdio: 'inherit', detached: true });
  let last = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (Date.now() - last > SAME_SIGNAL_MS) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      last = Date.now();
    });
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 128 : 1);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
  });
}
