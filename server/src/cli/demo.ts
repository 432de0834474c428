import { writeFileSync } from 'node:fs';
import type { Comparison } from '../gen/stic/evaluations/v1/evaluations.js';
import {
  type CreateRunRequest,
  type ListPairsResponse,
  type ListSamplesResponse,
  type Run,
  type RunInput,
  RunState,
} from '../gen/stic/runs/v1/runs.js';
import { Recipe } from '../gen/stic/recipe/v1/recipe.js';
import { loadConfig, type Config } from '../platform/config/config.js';
import { DomainError } from '../platform/errors.js';
import { HELP, type Options, parseOptions } from './arguments.js';
import { CliError, printError } from './cli-error.js';
import { call, type Clients, connect, disconnect, newRequestId, requestIdFor } from './clients.js';
import { comparisonJson, tableOf } from './comparison.js';
import { ownSource, registerInputs, type Source } from './inputs.js';
import { preflightLines } from './preflight.js';
import { openProduct, type Product } from './product.js';
import { RunProgress } from './progress.js';
import { chooseRecipe } from './recipe.js';
import { bold, clock, dim, green, print, red, width, wrap } from './terminal.js';
import { worldData } from './world-data.js';

const WORLD_SEED = 42;
const EXAMPLES = 3;
const CONTROL_ARMS = ['tiny-chosen-only', 'tiny-swapped'];
const PLANTED =
  'The embedded world plants the weakness that stage 1 repairs: its base model was trained to describe carelessly when asked plainly. ' +
  'A gain here shows that the pipeline does what the method says, not that STIC helps a real model.';

const interrupted = new Promise<NodeJS.Signals>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
});

async function main(): Promise<number> {
  let product: Product | undefined;
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === undefined) {
      print(HELP);
      return 0;
    }
    const config = loadConfig(options.state === undefined ? process.env : { ...process.env, STIC_STATE: options.state });
    product = await openProduct(config);
    print(`  console ${bold(product.http)}   gRPC ${product.grpc}   ${dim(`state in ${config.state}`)}\n`);
    const outcome = await Promise.race([demonstrate(config, options, product), product.failure, interrupted]);
    if (typeof outcome === 'string') return leave(product);
    if (options.exit) return outcome ? 0 : 1;
    print(`\n  The console stays at ${bold(product.http)} until Ctrl-C.`);
    await Promise.race([product.failure, interrupted]);
    return outcome ? 0 : 1;
  } catch (error) {
    printError(error instanceof DomainError ? new CliError(error.message, error.hint) : error);
    return 1;
  } finally {
    await product?.stop();
  }
}

function leave(product: Product): number {
  print(
    product.adopted
      ? '\n  The run goes on in the server that was already there.'
      : '\n  Stopping. The run is saved and goes on at the next start.',
  );
  return 130;
}

/** Registers the data, runs the recipe and shows what came of it; true when the run succeeded. */
async function demonstrate(config: Config, options: Options, product: Product): Promise<boolean> {
  const clients = connect(product.grpc);
  try {
    const recipe = await chooseRecipe(clients, options);
    const inputs = await registerInputs(clients, await sourcesOf(config, options));
    const run = await follow(clients, product, await startRun(clients, recipe, inputs, nameOf(options)));
    const comparison = await comparisonOf(clients, run);
    await showResult(clients, run, comparison);
    if (run.state === RunState.RUN_STATE_SUCCEEDED && options.arms) await showArms(clients, product, options, inputs, comparison);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(facts(run, comparison), null, 2)}\n`);
    print(`\n  ${dim('run')}  ${product.http}/runs/${run.id}`);
    return run.state === RunState.RUN_STATE_SUCCEEDED;
  } finally {
    disconnect(clients);
  }
}

async function sourcesOf(config: Config, options: Options): Promise<Source[]> {
  if (options.images !== undefined) {
    const { images, instructions, imageRoot } = options;
    return [ownSource('images', images), ...(instructions === undefined ? [] : [ownSource('instructions', instructions, imageRoot)])];
  }
  const seed = options.seed ?? WORLD_SEED;
  const world = await worldData(config, seed);
  const source = (role: Source['role'], name: string, path: string, imageRoot = ''): Source => ({
    role,
    name,
    path,
    imageRoot,
    fixed: true,
  });
  return [
    source('images', `world images, seed ${seed}`, world.images),
    source('instructions', `world instructions, seed ${seed}`, world.instructions, world.imageRoot),
    ...world.benchmarks.map((path) => source('benchmark', `${path.split('/').at(-1) ?? path}, seed ${seed}`, path)),
  ];
}

const nameOf = (options: Options): string => (options.images === undefined ? 'demo: the embedded world' : `demo: ${options.images}`);

/** The same recipe on the same data is one run: a repeated demo shows it again unless it did not succeed. */
async function startRun(clients: Clients, recipe: Recipe, inputs: RunInput[], name: string): Promise<Run> {
  const data = inputs.map(({ role, versionId }) => `${role} ${versionId}`).join();
  const request: CreateRunRequest = {
    requestId: requestIdFor('demo run', JSON.stringify(Recipe.toJSON(recipe)), data),
    name: name.slice(-200),
    recipe,
    inputs,
    validateOnly: false,
    priority: 0,
    requires: undefined,
    forkedFrom: '',
    changes: {},
  };
  const { preflight } = await call<Run>((done) => clients.runs.createRun({ ...request, requestId: '', validateOnly: true }, done));
  if (preflight) for (const line of preflightLines(preflight)) print(wrap(line, width(), '  '));
  const create = (): Promise<Run> => call<Run>((done) => clients.runs.createRun(request, done));
  const run = await create();
  if (run.state !== RunState.RUN_STATE_FAILED && run.state !== RunState.RUN_STATE_CANCELLED) return run;
  request.requestId = newRequestId();
  return create();
}

async function follow(clients: Clients, product: Product, run: Run): Promise<Run> {
  if (run.endedAt !== undefined) print(dim(`\n  This recipe ran on this data before; here is that run. --seed N makes another one.`));
  print(`\n  ${bold(run.name)}  ${dim(`${product.http}/runs/${run.id}`)}`);
  for (const { field, paper, run: here } of run.differences)
    print(dim(`    ${field.padEnd(40)} paper ${short(paper)}, here ${short(here)}`));
  print();
  const progress = new RunProgress();
  let latest = run;
  for await (const next of clients.runs.watchRun({ runId: run.id }) as AsyncIterable<Run>) {
    latest = next;
    progress.show(latest);
  }
  progress.end();
  return latest;
}

const short = (value: string): string => (value.length > 40 ? `${value.slice(0, 37)}…` : value);

const comparisonOf = (clients: Clients, run: Run): Promise<Comparison> =>
  call<Comparison>((done) => clients.evaluations.getComparison({ runId: run.id }, done));

async function showResult(clients: Clients, run: Run, { scores, findings }: Comparison): Promise<void> {
  for (const warning of run.warnings) print(`\n${wrap(`warning: ${warning}`, width(), '  ')}`);
  if (run.skipped > 0) print(`\n  ${run.skipped} items could not be used; the console lists each with its reason.`);
  if (run.state !== RunState.RUN_STATE_SUCCEEDED) {
    print(`\n  ${red(`The run ${run.state === RunState.RUN_STATE_CANCELLED ? 'was cancelled' : 'failed'}.`)} ${run.error?.message ?? ''}`);
    if (run.error?.hint) print(`  What to do: ${run.error.hint}`);
    return;
  }
  print(`\n  ${green('The run succeeded')} in ${clock(seconds(run))}.`);
  print(wrap(run.outcome, width(), '  '));
  if (scores.length === 0) {
    await showWithoutTruth(clients, run);
    return;
  }
  print(
    `\n  In points of 100; difference to base, plain, with its 95 % interval (paired bootstrap). ${green('Green')} is better, ${red('red')} worse, beyond chance.`,
  );
  print(tableOf(scores).join('\n'));
  print();
  for (const finding of findings) print(wrap(finding, width(), '  '));
  if (run.recipe?.model?.path === 'embedded:world') print(`\n${dim(wrap(PLANTED, width(), '  '))}`);
}

const seconds = (run: Run): number => ((run.endedAt?.getTime() ?? 0) - (run.startedAt?.getTime() ?? 0)) / 1000;

/** What can be shown without ground truth: the pairs, how training went, and the same images described before and after. */
async function showWithoutTruth(clients: Clients, run: Run): Promise<void> {
  const pairs = await call<ListPairsResponse>((done) =>
    clients.runs.listPairs({ runId: run.id, pageSize: EXAMPLES, pageToken: '', madeBy: '' }, done),
  );
  const kinds = Object.entries(pairs.counts).map(([kind, count]) => `${count} by ${kind.replaceAll('_', ' ')}`);
  print(`\n  ${bold(`${pairs.total} preference pairs`)}  ${dim(kinds.join(', '))}`);
  for (const pair of pairs.pairs) {
    print(`\n  ${pair.imageName}  ${dim(`${pair.prompt} · rejected by ${pair.madeBy.replaceAll('_', ' ')}`)}`);
    print(wrap(`${green('chosen')}   ${pair.chosen}`, width(), '    '));
    print(wrap(`${red('rejected')} ${pair.rejected}`, width(), '    '));
  }
  await showTraining(clients, run);
  const { samples } = await call<ListSamplesResponse>((done) => clients.runs.listSamples({ runId: run.id }, done));
  const images = [...new Set(samples.map((sample) => sample.imageName))].slice(0, EXAMPLES);
  if (images.length > 0) print(`\n  ${bold('The same images, before and after')}`);
  for (const image of images) {
    const told = samples.filter((sample) => sample.imageName === image);
    print(`\n  ${image}  ${dim(told[0]?.prompt ?? '')}`);
    for (const { subject, text } of told) print(wrap(`${dim(subject.padEnd(7))} ${text}`, width(), '    '));
  }
  print(dim('\n  Without a benchmark nothing here says whether the model got better; the console shows all pairs, curves and samples.'));
}

async function showTraining(clients: Clients, run: Run): Promise<void> {
  const series = new Map<string, number[]>();
  for (let cursor = '', more = true; more;) {
    const from = cursor;
    const page = await call<{ metrics: { point?: { name: string; value: number } | undefined }[]; nextCursor: string; more: boolean }>(
      (done) => clients.runs.listMetrics({ runId: run.id, cursor: from, pageSize: 5_000, allAttempts: false }, done),
    );
    for (const { point } of page.metrics) if (point) series.set(point.name, [...(series.get(point.name) ?? []), point.value]);
    cursor = page.nextCursor;
    more = page.more;
  }
  print(`\n  ${bold('Training')}  ${dim('mean of the first and of the last tenth of the steps')}`);
  for (const name of ['dpo/loss', 'dpo/margin', 'dpo/accuracy', 'dpo/chosen_logp', 'dpo/rejected_logp', 'sft/loss']) {
    const values = series.get(name);
    if (values === undefined) continue;
    const tenth = Math.max(1, Math.floor(values.length / 10));
    print(
      `    ${name.padEnd(20)} ${mean(values.slice(0, tenth)).toFixed(3).padStart(10)} → ${mean(values.slice(-tenth)).toFixed(3).padStart(10)}`,
    );
  }
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The control arms on the same data: what the preference itself adds, and that exchanged pairs do harm. */
async function showArms(clients: Clients, product: Product, options: Options, inputs: RunInput[], main: Comparison): Promise<void> {
  const stage1 = (comparison: Comparison): Comparison['scores'] =>
    comparison.scores.filter(({ subject, mode, primary }) => subject === 'stage1' && mode === 'plain' && primary);
  const arms: [string, Comparison['scores']][] = [['STIC', stage1(main)]];
  for (const preset of CONTROL_ARMS) {
    const recipe = await chooseRecipe(clients, { ...options, preset });
    const data = inputs.filter(({ role }) => role !== 'instructions');
    const run = await follow(clients, product, await startRun(clients, recipe, data, `control arm: ${preset}`));
    arms.push([preset.replace('tiny-', ''), stage1(await comparisonOf(clients, run))]);
  }
  print(`\n  ${bold('Stage 1 beside its control arms')}  ${dim('difference to the base model, plain')}\n`);
  for (const { benchmark, metric } of arms[0]?.[1] ?? []) {
    print(`  ${benchmark}  ${dim(metric)}`);
    for (const [name, scores] of arms) {
      const score = scores.find((one) => one.benchmark === benchmark);
      if (score)
        print(`    ${name.padEnd(14)} ${score.difference.toFixed(1).padStart(6)}  [${score.low.toFixed(1)}, ${score.high.toFixed(1)}]`);
    }
  }
  print(
    `\n${dim(wrap('Where chosen-only matches STIC, the rejected texts added nothing on this data; swapped must be worse than STIC.', width(), '  '))}`,
  );
}

function facts(run: Run, { scores, findings }: Comparison): object {
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

process.exit(await main());
