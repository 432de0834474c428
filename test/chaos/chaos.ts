// Kills what a run needs, one process at a time, and checks after every run that nothing was lost: npm run chaos -- --kills 200 --seed 7
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { messageOf } from '../../server/src/platform/errors.js';
import { pause } from '../../server/src/platform/timing.js';
import { rehearse, type Rehearsed } from '../support/checks.js';
import { Product, type Server, signal, until } from '../support/product.js';
import '../support/global-expect.js';

const VICTIMS = ['server', 'trainer', 'worker', 'postgres'] as const;
type Victim = (typeof VICTIMS)[number];
type Kill = { readonly victim: Victim; readonly takeoverS: number | undefined };

const LONGEST_WAIT_MS = 8_000;
const LOOK_MS = 50;
/** A run that takes longer than this, kills and all, counts as lost. */
const RUN_WITHIN_MS = 600_000;

const { wanted, seed } = options();

/** Number of kills and seed; another argument is refused in words. */
function options(): { wanted: number; seed: string } {
  try {
    const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' }, seed: { type: 'string' } } });
    const wanted = Number(values.kills);
    if (!Number.isInteger(wanted) || wanted < 1) throw new Error(`--kills is a number of kills from 1 on, not "${values.kills}".`);
    return { wanted, seed: values.seed ?? String(randomInt(1e9)) };
  } catch (error) {
    process.stderr.write(`error: ${messageOf(error)}\nhint: \`npm run chaos -- --help\` lists the options.\n`);
    process.exit(1);
  }
}

/** From 0 up to 1: the same for the same seed and name, whatever came before. */
const chance = (name: string): number => createHash('sha256').update(`${seed}/${name}`).digest().readUInt32BE() / 2 ** 32;

/** Ctrl-C ends the run in hand as a fault, so that the product is closed like at any end. */
const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort(new Error(`Stopped by ${name}.`)));

/** The product with one run at a time at work, and what becomes of them. */
class Chaos {
  readonly kills: Kill[] = [];
  readonly faults: string[] = [];
  runs = 0;

  private constructor(
    private readonly product: Product,
    private server: Server,
    private readonly request: object,
    private readonly assertSame: Rehearsed['assertSame'],
  ) {}

  /** Has one run end undisturbed, which says what every other one must make. */
  static async start(product: Product): Promise<Chaos> {
    const server = await product.start();
    const { request, assertSame } = await rehearse(product, server, 8, withoutLimit);
    return new Chaos(product, server, request, assertSame);
  }

  /** One run from start to end, with kills until there have been enough. */
  async run(): Promise<void> {
    const name = `run ${++this.runs}`;
    const request = { ...this.request, request_id: randomUUID() };
    // Whoever asks for a run while the trainer is away is told so, and asks again.
    const { body } = await until(
      () => this.server.call('POST', '/api/runs', request),
      ({ status }) => status !== 503,
    );
    const { id } = Run.fromJSON(body);
    try {
      const deadline = Date.now() + RUN_WITHIN_MS;
      while (this.kills.length < wanted && !(await this.look(id, deadline)).ended) await this.strike(id, deadline);
      while (!(await this.look(id, deadline)).ended) await pause(LOOK_MS);
      await this.assertSame(await this.server.run(id));
      console.log(`${name}: whole`);
    } catch (error) {
      this.faults.push(`${name}: ${messageOf(error)}`);
      console.log(this.faults.at(-1));
    }
  }

  /** Waits for the next kill's moment, kills, and waits until the run has moved; nothing when the run ends before. */
  private async strike(id: string, deadline: number): Promise<void> {
    const number = this.kills.length + 1;
    const victim = VICTIMS[Math.floor(chance(`victim/${number}`) * VICTIMS.length)] ?? 'server';
    // Of the run too: one that ends before its kill must not make every next one wait as long.
    await pause(chance(`moment/${this.runs}/${number}`) * LONGEST_WAIT_MS);
    let before = await this.look(id, deadline);
    // Between two stages there is no worker to kill.
    for (; !before.ended && !(await this.kill(victim, before.attempt)); before = await this.look(id, deadline)) await pause(LOOK_MS);
    if (before.ended) return;
    const killedAt = Date.now();
    if (victim === 'server') this.server = await this.product.start();
    let after = await this.look(id, deadline);
    for (; !after.ended && after.events <= before.events; after = await this.look(id, deadline)) await pause(LOOK_MS);
    const takeoverS = after.events > before.events ? (Date.now() - killedAt) / 1_000 : undefined;
    this.kills.push({ victim, takeoverS });
    console.log(
      `kill ${number}: ${victim}, next event ${takeoverS === undefined ? 'never, the run had ended' : `after ${takeoverS.toFixed(1)} s`}`,
    );
  }

  /** Whether there was one to kill. */
  private async kill(victim: Victim, attempt: string | null): Promise<boolean> {
    if (victim === 'server') await this.server.kill();
    if (victim === 'trainer') signal(this.product.trainer.pid, 'SIGKILL');
    if (victim === 'postgres') this.product.killPostgres();
    return victim !== 'worker' || (attempt !== null && this.killWorker(attempt));
  }

  private killWorker(attempt: string): boolean {
    try {
      process.kill(this.product.worker(attempt), 'SIGKILL');
      return true;
    } catch {
      // Not started yet, or gone already.
      return false;
    }
  }

  /** How far the run is by the database, asked again while that is away. */
  private async look(id: string, deadline: number): Promise<{ ended: boolean; events: number; attempt: string | null }> {
    for (;;) {
      stopped.signal.throwIfAborted();
      if (Date.now() > deadline) throw new Error(`The run had not ended after ${RUN_WITHIN_MS / 1_000} s.`);
      if (!this.server.isRunning) throw new Error('The server has ended by itself.');
      const rows = await this.product
        .query<{ ended: boolean; events: string; attempt: string | null }>(
          `SELECT run.ended_at IS NOT NULL AS ended, coalesce(sum(attempt.last_seq), 0) AS events,
             max(attempt.id::text) FILTER (WHERE attempt.id IS NOT NULL AND attempt.ended_at IS NULL) AS attempt
           FROM run JOIN stage ON stage.run_id = run.id LEFT JOIN attempt ON attempt.stage_id = stage.id WHERE run.id = $1 GROUP BY run.id`,
          [id],
        )
        .catch(() => []);
      const [row] = rows;
      if (row) return { ...row, events: Number(row.events) };
      await pause(LOOK_MS);
    }
  }
}

/** Every kill of a worker is a fault, and a run here may meet any number of them. */
function withoutLimit(recipe: Recipe): void {
  recipe.retry = { maxAttempts: 20, backoffSeconds: 0.1 };
}

function median(sorted: readonly number[]): number {
  const [low = NaN, high = NaN] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

function tally({ kills, runs, faults }: Chaos): string {
  const rows = VICTIMS.map((victim) => {
    const ofIt = kills.filter((kill) => kill.victim === victim);
    const times = ofIt.flatMap(({ takeoverS }) => takeoverS ?? []).sort((one, other) => one - other);
    const figures =
      times.length === 0 ? '' : `, next stored event after ${median(times).toFixed(1)} s (median), ${times.at(-1)?.toFixed(1)} s (worst)`;
    return `  ${victim.padEnd(8)} ${String(ofIt.length).padStart(3)}${figures}`;
  });
  return [`kills: ${kills.length}`, ...rows, `runs: ${runs}, whole: ${runs - faults.length}`].join('\n');
}

console.log(`seed ${seed}`);
const product = new Product();
try {
  const chaos = await Chaos.start(product);
  while (chaos.kills.length < wanted && chaos.faults.length === 0) await chaos.run();
  console.log(tally(chaos));
  if (chaos.faults.length > 0) process.exitCode = 1;
} finally {
  await product.close();
}
