import type { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { type Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Clients } from './clients.js';
import { readMetrics } from '../model/metric-catalogue.js';
import { comparisonJson, tableOf } from './comparison.js';
import { bold, clock, dim, green, print, red, say, width } from './terminal.js';
import { prose, shown } from './text.js';

const EXAMPLES = 3;
const PLANTED =
  'The embedded world plants the weakness that stage 1 repairs: its base model was trained to describe carelessly when asked plainly. ' +
  'A gain here shows that the pipeline does what the method says, not that STIC helps a real model.';

export const comparisonOf = (clients: Clients, run: Run): Promise<Comparison> => clients.evaluations.getComparison({ runId: run.id });

/** What became of the run: its error, or the table and what it says, or examples where there was no benchmark. */
export async function showResult(clients: Clients, run: Run, { scores, findings }: Comparison): Promise<void> {
  for (const warning of run.warnings) paragraph(`warning: ${prose(warning)}`);
  if (run.skipped > 0) paragraph(`${run.skipped} items could not be used; the console lists each with its reason.`);
  if (run.state !== RunState.RUN_STATE_SUCCEEDED) {
    paragraph(
      `${red(`The run ${run.state === RunState.RUN_STATE_CANCELLED ? 'was cancelled' : 'failed'}.`)} ${prose(run.error?.message ?? '')}`,
    );
    if (run.error?.hint) say(`hint: ${prose(run.error.hint)}`);
    return;
  }
  paragraph(`${green('The run succeeded')} in ${clock(seconds(run))}.`);
  say(prose(run.outcome));
  if (scores.length === 0) {
    await showWithoutTruth(clients, run);
    return;
  }
  paragraph(
    `In points of 100; difference to base, plain, with its 95 % interval (paired bootstrap). ${green('Green')} is better, ${red('red')} worse, beyond chance.`,
  );
  print(tableOf(scores, width()).join('\n'));
  print();
  for (const finding of findings) say(prose(finding));
  if (run.recipe?.model?.path === 'embedded:world') {
    print();
    say(dim(PLANTED));
  }
}

function paragraph(text: string): void {
  print();
  say(text);
}

const seconds = (run: Run): number => ((run.endedAt?.getTime() ?? 0) - (run.startedAt?.getTime() ?? 0)) / 1000;

/** What can be shown without ground truth: the pairs, how training went, and the same images described before and after. */
async function showWithoutTruth(clients: Clients, run: Run): Promise<void> {
  const pairs = await clients.runs.listPairs({ runId: run.id, pageSize: EXAMPLES, pageToken: '', madeBy: '' });
  const kinds = Object.entries(pairs.counts).map(([kind, count]) => `${count} by ${kind.replaceAll('_', ' ')}`);
  paragraph(`${bold(`${pairs.total} preference pairs`)}  ${dim(kinds.join(', '))}`);
  for (const pair of pairs.pairs) {
    print(`\n  ${shown(pair.imageName)}`);
    say(dim(`${prose(pair.prompt)} · rejected by ${pair.madeBy.replaceAll('_', ' ')}`), '    ');
    say(`${green('chosen')}   ${prose(pair.chosen)}`, '    ');
    say(`${red('rejected')} ${prose(pair.rejected)}`, '    ');
  }
  await showTraining(clients, run);
  const { samples } = await clients.runs.listSamples({ runId: run.id });
  const images = [...new Set(samples.map((sample) => sample.imageName))].slice(0, EXAMPLES);
  if (images.length > 0) print(`\n  ${bold('The same images, before and after')}`);
  for (const image of images) {
    const told = samples.filter((sample) => sample.imageName === image);
    print(`\n  ${shown(image)}`);
    say(dim(prose(told[0]?.prompt ?? '')), '    ');
    for (const { subject, text } of told) say(`${dim(subject)} ${prose(text)}`, '    ');
  }
  paragraph(dim('Without a benchmark nothing here says whether the model got better; the console shows all pairs, curves and samples.'));
}

async function showTraining(clients: Clients, run: Run): Promise<void> {
  const names = readMetrics().flatMap(({ name, better }) => (better === '' ? [] : [name]));
  const series = new Map<string, number[]>();
  for (let cursor = '', more = true; more;) {
    const from = cursor;
    const page = await clients.runs.listMetrics({ runId: run.id, cursor: from, pageSize: 5_000, names });
    for (const { point } of page.metrics) if (point) series.set(point.name, [...(series.get(point.name) ?? []), point.value]);
    cursor = page.nextCursor;
    more = page.more;
  }
  paragraph(`${bold('Training')}  ${dim('mean of the first and of the last tenth of the steps')}`);
  for (const name of names) {
    const values = series.get(name);
    if (values === undefined) continue;
    const tenth = Math.max(1, Math.floor(values.length / 10));
    print(
      `    ${name.padEnd(20)} ${mean(values.slice(0, tenth)).toFixed(3).padStart(10)} → ${mean(values.slice(-tenth)).toFixed(3).padStart(10)}`,
    );
  }
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What `--json FILE` holds. */
export function facts(run: Run, { scores, findings }: Comparison): object {
  return {
    run_id: run.id,
    state: run.state.replace('RUN_STATE_', '').toLowerCase(),
    seconds: run.endedAt ? seconds(run) : null,
    recipe: run.recipe === undefined ? null : Recipe.toJSON(run.recipe),
    inputs: run.inputs.map(({ role, datasetName, digest, items, skipped }) => ({ role, name: datasetName, digest, items, skipped })),
    comparison: comparisonJson(scores),
    outcome: run.outcome,
    findings,
    warnings: run.warnings,
    error: run.error === undefined ? null : { code: run.error.code, message: run.error.message },
  };
}
