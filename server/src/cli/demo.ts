import { writeFileSync } from 'node:fs';
import { type Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { loadConfig, type Config } from '../platform/config/config.js';
import { showArms } from './arms.js';
import { type Options, parseOptions } from './arguments.js';
import { CliError, printError } from './cli-error.js';
import { type Clients, connect, disconnect } from './clients.js';
import { helpOf } from './help.js';
import { ownSource, registerInputs, type Source } from './inputs.js';
import { onInterrupt } from './interrupt.js';
import { openProduct, type Product } from './product.js';
import { chooseRecipe } from './recipe.js';
import { comparisonOf, facts, showResult } from './result.js';
import { follow, startRun } from './run.js';
import { bold, dim, print, say } from './terminal.js';
import { worldData } from './world-data.js';

const WORLD_SEED = 42;

/** What is running now, for the words at Ctrl-C. */
type Stage = { product?: Product; clients?: Clients; run?: Run };

async function main(): Promise<number> {
  const now: Stage = {};
  const interrupt = onInterrupt(() => stopping(now));
  let code = 1;
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === undefined) {
      print(helpOf('demo'));
      return 0;
    }
    const config = loadConfig(options.state === undefined ? process.env : { ...process.env, STIC_STATE: options.state });
    now.product = await openProduct(config, interrupt.signal);
    const { http, grpc, failure } = now.product;
    print(`  console ${bold(http)}   gRPC ${grpc}\n  ${dim(`state in ${config.state}`)}\n`);
    code = (await Promise.race([demonstrate(config, options, now), failure, interrupt.raised])) ? 0 : 1;
    if (!options.exit) {
      print();
      say(`The console stays at ${bold(http)} until Ctrl-C.`);
      await Promise.race([failure, interrupt.raised.catch(() => undefined)]);
    }
    return code;
  } catch (error) {
    if (!interrupt.signal.aborted) printError(error);
    return interrupt.signal.aborted ? 130 : 1;
  } finally {
    await now.product?.stop();
    if (interrupt.signal.aborted) say(afterwards(now));
  }
}

/** What Ctrl-C does now, in words. */
function stopping({ product, clients, run }: Stage): string {
  if (clients !== undefined) disconnect(clients);
  if (product?.adopted) return 'Stopping this command; the server that it used keeps running.';
  if (run === undefined) return 'Stopping the server. No run has been started yet.';
  return run.endedAt === undefined ? 'Stopping the server. The run is saved.' : 'Stopping the server.';
}

/** The last line after Ctrl-C: how to continue. */
function afterwards({ product, run }: Stage): string {
  if (run === undefined) return 'Stopped. The same command starts again; what was imported is kept.';
  if (run.endedAt !== undefined) return 'Stopped. The same command shows the run again.';
  if (product?.adopted) return 'Stopped. The run continues in the server; the same command shows it again.';
  return 'Stopped. The same command continues the run.';
}

/** Registers the data, runs the recipe and shows its result; true when the run succeeded. */
async function demonstrate(config: Config, options: Options, now: Stage): Promise<boolean> {
  const { http = '', grpc = '' } = now.product ?? {};
  const clients = (now.clients = connect(grpc));
  try {
    const recipe = await chooseRecipe(clients, options);
    const inputs = await registerInputs(clients, await sourcesOf(config, options));
    now.run = await startRun(clients, recipe, inputs, nameOf(options));
    const run = (now.run = await follow(clients, http, now.run));
    const comparison = await comparisonOf(clients, run);
    await showResult(clients, run, comparison);
    if (run.state === RunState.RUN_STATE_SUCCEEDED && options.arms) await showArms(clients, http, options, inputs, comparison);
    if (options.json !== undefined) writeJson(options.json, facts(run, comparison));
    print(`\n  ${dim('run')}  ${http}/runs/${run.id}`);
    return run.state === RunState.RUN_STATE_SUCCEEDED;
  } finally {
    disconnect(clients);
  }
}

function writeJson(file: string, content: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  } catch (error) {
    throw new CliError(
      `--json: ${file} could not be written: ${error instanceof Error ? error.message : String(error)}`,
      'The run is kept: the same command writes the file again.',
    );
  }
}

async function sourcesOf(config: Config, options: Options): Promise<Source[]> {
  const { images, imageList, pairs, instructions, imageRoot } = options;
  const own = [
    ...(images === undefined ? [] : [ownSource('images', images, { imageList })]),
    ...(pairs === undefined ? [] : [ownSource('preferences', pairs, { imageRoot })]),
    ...(instructions === undefined ? [] : [ownSource('instructions', instructions, { imageRoot })]),
  ];
  if (own.length > 0) return own;
  const seed = options.seed ?? WORLD_SEED;
  const world = await worldData(config, seed);
  const source = (role: Source['role'], name: string, path: string, imageRoot = ''): Source => ({
    role,
    name,
    path,
    imageRoot,
    imageList: '',
    fixed: true,
  });
  return [
    source('images', `world images, seed ${seed}`, world.images),
    source('instructions', `world instructions, seed ${seed}`, world.instructions, world.imageRoot),
    ...world.benchmarks.map((path) => source('benchmark', `${path.split('/').at(-1) ?? path}, seed ${seed}`, path)),
  ];
}

const nameOf = ({ images, pairs }: Options): string => `demo: ${images ?? pairs ?? 'the embedded world'}`;

process.exit(await main());
