// Sets up, then runs a compiled program: `npm start` the product, `npm run demo` the demonstration, `npm run stic` the tools beside it,
// `npm run chaos` the long test by killing.
import { help } from './setup/options.mjs';
import { runProgram } from './setup/program.mjs';
import { printProblem } from './setup/terminal.mjs';
import { setup } from './setup.mjs';

const PROGRAMS = {
  start: 'dist/server/src/main.js',
  demo: 'dist/server/src/cli/demo.js',
  stic: 'dist/server/src/cli/stic.js',
  chaos: 'dist/test/chaos/chaos.js',
};

const [verb, ...args] = process.argv.slice(2);
help(verb, args);
try {
  await setup();
  process.exitCode = await runProgram(PROGRAMS[verb], args);
} catch (error) {
  printProblem(error);
  process.exitCode = 1;
}
