import type { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import type { RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Options } from './arguments.js';
import type { Clients } from './clients.js';
import { chooseRecipe } from './recipe.js';
import { comparisonOf } from './result.js';
import { follow, startRun } from './run.js';
import { bold, dim, print, say } from './terminal.js';
import { shown } from './text.js';

const CONTROL_ARMS = ['tiny-chosen-only', 'tiny-swapped'];

/** The control arms on the same data: what the preference itself adds, and that exchanged pairs do harm. */
export async function showArms(clients: Clients, http: string, options: Options, inputs: RunInput[], main: Comparison): Promise<void> {
  const stage1 = (comparison: Comparison): Comparison['scores'] =>
    comparison.scores.filter(({ subject, mode, primary }) => subject === 'stage1' && mode === 'plain' && primary);
  const arms: [string, Comparison['scores']][] = [['STIC', stage1(main)]];
  for (const preset of CONTROL_ARMS) {
    const recipe = await chooseRecipe(clients, { ...options, preset });
    const data = inputs.filter(({ role }) => role !== 'instructions');
    const run = await follow(clients, http, await startRun(clients, recipe, data, `control arm: ${preset}`));
    arms.push([preset.replace('tiny-', ''), stage1(await comparisonOf(clients, run))]);
  }
  print();
  say(`${bold('Stage 1 beside its control arms')}  ${dim('difference to the base model, plain')}`);
  print();
  for (const { benchmark, metric } of arms[0]?.[1] ?? []) {
    print(`  ${shown(benchmark)}  ${dim(shown(metric))}`);
    for (const [name, scores] of arms) {
      const score = scores.find((one) => one.benchmark === benchmark);
      if (score)
        print(`    ${name.padEnd(14)} ${score.difference.toFixed(1).padStart(6)}  [${score.low.toFixed(1)}, ${score.high.toFixed(1)}]`);
    }
  }
  print();
  say(dim('Where chosen-only matches STIC, the rejected texts added nothing on this data; swapped must be worse than STIC.'));
}
