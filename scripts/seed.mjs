// `npm run seed`: fills a state folder through the public API with the embedded world's datasets and three small finished runs. Run
// again it makes nothing twice.
import path from 'node:path';
import { options } from './setup/options.mjs';
import { runProgram } from './setup/program.mjs';
import { root } from './setup/stamps.mjs';
import { printProblem } from './setup/terminal.mjs';
import { setup } from './setup.mjs';

// Small enough for two cores: the runs are there to look at, their figures say nothing.
const SMALL = ['prefer.max_images=40', 'dpo.optimizer.epochs=1', 'describe.max_rows=30', 'sft.optimizer.epochs=1', 'evaluate.max_items=30'];
const RUNS = [[], ['--seed', '43'], ['--preset', 'tiny-chosen-only']];

try {
  const { state = process.env.STIC_STATE ?? path.join(root, '.stic-dev') } = options('seed', process.argv.slice(2), {
    state: { type: 'string' },
  });
  await setup();
  for (const run of RUNS) {
    const settings = SMALL.flatMap((field) => ['--set', field]);
    process.exitCode = await runProgram('dist/server/src/cli/demo.js', ['--exit', '--state', state, ...run, ...settings]);
    if (process.exitCode !== 0) break;
  }
} catch (error) {
  printProblem(error);
  process.exitCode = 1;
}
