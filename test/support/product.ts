import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { processesIn } from '../../server/src/platform/processes/process-table.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ListPresetsResponse, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Dataset, VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import type { Problem as ApiProblem } from '@stic/api/http.js';
import { isTerminal } from '../../server/src/model/states.js';

const main = fileURLToPath(new URL('../../server/src/main.js', import.meta.url));
const trainer = path.join(repositoryRoot(), 'trainer-py');
const readyWithinMs = 60_000;
/** The first run of a server waits until its trainer has loaded its libraries: seconds, or a minute where others want the cores too. */
const answeredWithinMs = 120_000;

/** What a request was answered with. */
export type Answer = { readonly status: number; readonly body: unknown };

/** A refusal as RFC 9457 has it. */
export const problemOf = ({ body }: { body: unknown }): ApiProblem => body as ApiProblem;

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** One server process, as `npm start` makes it. */
export class Server {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    public url = '',
  ) {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static async start(environment: Record<string, string>): Promise<Server> {
    const child = spawn(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new Server(child);
    const begun = Date.now();
    while (server.url === '') {
      await sleep(20);
      server.url = /console: (http:\/\/\S+)/.exec(server.output)?.[1] ?? '';
      if (child.exitCode !== null || Date.now() - begun > readyWithinMs) throw new Error(`the server did not start:\n${server.output}`);
    }
    return server;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Address of the public gRPC. */
  get grpc(): string {
    return /gRPC: (\S+)/.exec(this.output)?.[1] ?? '';
  }

  /** Gone at once, without a chance to tidy up. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  /** As Ctrl-C does: server, sidecar, Postgres. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await exited;
  }

  async call(method: Method, where: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.url + where, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answeredWithinMs),
    });
    return { status: response.status, body: await response.json() };
  }

  private async ok(method: Method, where: string, body?: unknown): Promise<unknown> {
    const answer = await this.call(method, where, body);
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get(where: string): Promise<unknown> {
    return this.ok('GET', where);
  }

  post(where: string, body: unknown): Promise<unknown> {
    return this.ok('POST', where, body);
  }

  /** Registers a dataset and waits for its first version. */
  async dataset(name: string, kind: DatasetKind, source: string, more: object = {}): Promise<Dataset> {
    const made = Dataset.fromJSON(await this.post('/api/datasets', { name, kind, source, ...more }));
    return until(
      async () => Dataset.fromJSON(await this.get(`/api/datasets/${made.id}`)),
      (dataset) => dataset.latest?.state !== VersionState.VERSION_STATE_IMPORTING,
    );
  }

  /** The tiny recipe, cut down to what shows that things work. */
  async smallRecipe(change: (recipe: Recipe) => void = () => undefined): Promise<unknown> {
    const { presets } = ListPresetsResponse.fromJSON(await this.get('/api/presets'));
    const recipe = presets.find((preset) => preset.name === 'tiny')?.recipe;
    const { prefer, dpo, describe, sft, evaluate } = recipe ?? {};
    if (!recipe || !prefer?.generation || !dpo?.optimizer || !describe?.generation || !sft?.optimizer || !evaluate?.describeGeneration) {
      throw new Error('the tiny preset is not whole');
    }
    prefer.generation.maxNewTokens = describe.generation.maxNewTokens = evaluate.describeGeneration.maxNewTokens = 24;
    // One text at a time: long enough to be met at work.
    prefer.maxBatchTokens = 64;
    dpo.optimizer.batchSize = sft.optimizer.batchSize = 4;
    dpo.optimizer.checkpointEverySteps = 2;
    dpo.optimizer.epochs = sft.optimizer.epochs = 1;
    evaluate.sampleImages = 2;
    change(recipe);
    return Recipe.toJSON(recipe);
  }

  /** Trainers that have jobs, or that cannot be asked. */
  async busyTrainers(): Promise<number> {
    const { trainers } = (await this.get('/api/trainers')) as { trainers: { info?: { active_job_ids?: string[] } }[] };
    return trainers.length === 0 ? 1 : trainers.filter(({ info }) => !info || (info.active_job_ids ?? []).length > 0).length;
  }

  async run(id: string): Promise<Run> {
    return Run.fromJSON(await this.get(`/api/runs/${id}`));
  }

  /** The run once it is as asked for. */
  runWhen(id: string, holds: (run: Run) => boolean): Promise<Run> {
    return until(() => this.run(id), holds);
  }

  ended(id: string): Promise<Run> {
    return this.runWhen(id, ({ state }) => isTerminal(state));
  }
}

/** A state folder with everything in it, and the servers a test starts on it. */
export class Product {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'stic-d-'));
  readonly state = path.join(this.folder, 'state');
  private readonly servers: Server[] = [];
  private readonly replicas: Server[] = [];
  private readonly sidecars: ChildProcess[] = [];

  constructor() {
    // Postgres, started by root, runs as another user and must get through.
    chmodSync(this.folder, 0o755);
  }

  async start(environment: Record<string, string> = {}): Promise<Server> {
    const server = await Server.start({ STIC_STATE: this.state, ...environment });
    this.servers.push(server);
    return server;
  }

  /** Another server on the same database and store, with trainers at these addresses. */
  async replica(trainers: readonly string[]): Promise<Server> {
    const server = await Server.start({
      STIC_STATE: path.join(this.folder, 'replica'),
      STIC_STORE: path.join(this.state, 'store'),
      DATABASE_URL: this.databaseUrl,
      TRAINERS: trainers.join(),
    });
    this.replicas.push(server);
    return server;
  }

  /** Another trainer on the same store, as `python -m stic_trainer sidecar` makes it, perhaps on a small disk of its own. */
  async sidecar(name: string, options: { labels?: readonly string[]; diskMib?: number } = {}): Promise<Sidecar> {
    const ready = path.join(this.folder, `${name}.json`);
    const state = path.join(this.folder, name);
    mkdirSync(state);
    const folders = ['--store', path.join(this.state, 'store'), '--state', state, '--ready-file', ready];
    const labels = (options.labels ?? []).flatMap((label) => ['--label', label]);
    const command = [path.join(trainer, '.venv/bin/python'), '-m', 'stic_trainer', 'sidecar', '--name', name, ...folders, ...labels];
    const [program = '', ...args] = options.diskMib === undefined ? command : onDiskOf(options.diskMib, state, command);
    const child = spawn(program, args, { cwd: trainer, stdio: 'ignore' });
    this.sidecars.push(child);
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`the sidecar ended with ${child.exitCode}: ${program} ${args.join(' ')}`);
        return Promise.resolve(existsSync(ready));
      },
      (found) => found,
    );
    const { port } = JSON.parse(readFileSync(ready, 'utf8')) as { port: number };
    return { address: `127.0.0.1:${port}`, state: `/proc/${child.pid ?? 0}/root${state}` };
  }

  get databaseUrl(): string {
    const { port, password } = this.json('postgres.json') as { port: number; password: string };
    return `postgres://stic:${password}@127.0.0.1:${port}/stic`;
  }

  /** The server's own trainer, once it has come up. */
  async localTrainer(): Promise<string> {
    await until(
      () => Promise.resolve(existsSync(path.join(this.state, 'trainer.json'))),
      (found) => found,
    );
    return `127.0.0.1:${this.trainer.port}`;
  }

  get trainer(): { pid: number; port: number } {
    return this.json('trainer.json') as { pid: number; port: number };
  }

  /** Process of the worker that does an attempt's job, by default on the server's own trainer. */
  worker(attemptId: string, trainerState = path.join(this.state, 'trainer')): number {
    return (JSON.parse(readFileSync(path.join(trainerState, 'jobs', attemptId, 'pid'), 'utf8')) as { pid: number }).pid;
  }

  /** Postmaster and backends, gone at once; the postmaster's process. */
  killPostgres(): number {
    const data = path.join((this.json('postgres.json') as { base: string }).base, 'postgres');
    const postmaster = Number.parseInt(readFileSync(path.join(data, 'postmaster.pid'), 'utf8'), 10);
    for (const pid of [postmaster, ...processesIn(data)]) signal(pid, 'SIGKILL');
    return postmaster;
  }

  async query<Row extends object>(sql: string, parameters: unknown[]): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl });
    // A connection that is cut fails the query; the event says nothing more.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  /** Pictures, instructions and benchmarks of the embedded world. */
  async world(images: number, instructions = 6, items = 6): Promise<string> {
    const out = path.join(this.folder, 'world');
    const sizes = ['--images', String(images), '--instructions', String(instructions), '--test-scenes', String(items)];
    const render = ['-m', 'stic_trainer.world', 'render', '--out', out, '--seed', '4711', ...sizes];
    await promisify(execFile)(path.join(trainer, '.venv/bin/python'), render, { cwd: trainer });
    return out;
  }

  /** Makes everything in the store so many hours old: only what no row names may then be removed. */
  ageStore(hours: number): void {
    const at = new Date(Date.now() - hours * 3_600_000);
    const store = path.join(this.state, 'store');
    for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) utimesSync(path.join(store, name), at, at);
  }

  /** Ends everything. What a killed server has left behind is ended by the next one, which finds it. */
  async close(): Promise<void> {
    for (const replica of this.replicas) await replica.kill();
    for (const sidecar of this.sidecars) {
      const exited = once(sidecar, 'exit');
      sidecar.kill('SIGTERM');
      await exited;
    }
    const living = this.servers.find((server) => server.isRunning) ?? (await this.start());
    // A worker whose job has just ended may still be leaving.
    const deadline = Date.now() + 10_000;
    await until(
      () => living.busyTrainers(),
      (busy) => busy === 0 || Date.now() > deadline,
    );
    await living.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private json(file: string): unknown {
    return JSON.parse(readFileSync(path.join(this.state, file), 'utf8'));
  }
}

/** A trainer of its own: where it listens, and its state folder as this process may see it. */
export type Sidecar = { readonly address: string; readonly state: string };

/** The command with a small file system at `folder`, which only it and what it starts have. */
function onDiskOf(mib: number, folder: string, command: readonly string[]): string[] {
  const mount = `mount -t tmpfs -o size=${mib}m tmpfs "$0" && exec "$@"`;
  return ['unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount', 'sh', '-c', mount, folder, ...command];
}

/** Sends a signal to a process that may have ended by itself. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Asks again until the answer is as wanted; a test that waits for ever is cut off by its own time limit. */
export async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    await sleep(100);
  }
}
