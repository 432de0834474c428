import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { inheritedEnvironment } from '../config/config.js';
import { DomainError, messageOf } from '../errors.js';
import { lastLines, startDetached } from '../processes/detached.js';
import { Keeper, type LongLived } from '../processes/keeper.js';
import { commandOf, endProcess, isAlive, processesIn } from '../processes/process-table.js';
import { monotonicMs, pause } from '../timing.js';
import { type Account, canEnter, postgresAccount } from './account.js';
import { type Binaries, findBinaries } from './binaries.js';

const USER = 'stic';
const DATABASE = 'stic';
const READY_WITHIN_MS = 60_000;
const ORPHANS_GONE_WITHIN_MS = 15_000;
const STOP_GRACE_MS = 20_000;
/** Where the data goes when root's state folder cannot be entered by the account Postgres runs as. */
const OUTSIDE = '/var/lib/stic';

const MIB = 1024 * 1024;
/** An eighth of the memory, as trainers on the machine need the rest; Postgres takes it only as pages are read. */
const sharedBuffers = (): string => `${Math.round(Math.min(512, Math.max(64, os.totalmem() / 8 / MIB)))}MB`;

/** `<state>/postgres.json`, readable by the server's user only. */
type Settings = { base: string; port: number; password: string };

export type EmbeddedPostgresOptions = { state: string; binaries?: string | undefined };

/**
 * A Postgres of our own for one machine: real binaries, 127.0.0.1 only, a random password. It outlives the server, which finds
 * it again through postmaster.pid.
 */
export class EmbeddedPostgres implements LongLived {
  readonly name = 'Postgres';
  private readonly account: Account = postgresAccount();
  private readonly settings: Settings;
  private readonly binaries: Binaries;
  private readonly data: string;
  private readonly log: string;
  private addressGiven = false;

  private constructor(private readonly options: EmbeddedPostgresOptions) {
    this.settings = this.readSettings();
    this.data = path.join(this.settings.base, 'postgres');
    this.log = path.join(options.state, 'logs/postgres.log');
    this.binaries = findBinaries(options.binaries, this.account, this.settings.base);
  }

  /** Has it running, adopted or started, and keeps it so until `close`. */
  static async open(options: EmbeddedPostgresOptions): Promise<{ url: string; close: () => Promise<void> }> {
    mkdirSync(options.state, { recursive: true });
    const postgres = new EmbeddedPostgres(options);
    postgres.checkVersion();
    const keeper = new Keeper(postgres);
    await keeper.open();
    try {
      await postgres.ensureDatabase();
    } catch (error) {
      await keeper.close();
      throw error;
    }
    postgres.addressGiven = true;
    return { url: postgres.url(DATABASE), close: () => keeper.close() };
  }

  /** The address of the one that runs on this state folder, which is left to whoever keeps it; undefined when none does. */
  static async running(options: EmbeddedPostgresOptions): Promise<string | undefined> {
    if (!existsSync(path.join(options.state, 'postgres.json'))) return undefined;
    const postgres = new EmbeddedPostgres(options);
    return (await postgres.adopt()) === undefined ? undefined : postgres.url(DATABASE);
  }

  async adopt(): Promise<number | undefined> {
    const file = this.postmaster();
    if (!file || !this.isOurs(file.pid)) return undefined;
    this.settings.port = file.port;
    await this.untilReady(file.pid);
    this.writeSettings();
    return file.pid;
  }

  async start(): Promise<number> {
    if (!existsSync(path.join(this.data, 'PG_VERSION'))) this.initialize();
    await this.clearStaleLock();
    // Once clients have the address, only the same port will do.
    if (!this.addressGiven) this.settings.port = await freePort(this.settings.port);
    this.writeSettings();
    const pid = await startDetached(
      this.binaries.postgres,
      [
        ...['-D', this.data, '-p', String(this.settings.port)],
        // No Unix socket: its path may be too long, and its lock file is one more thing a crash leaves behind.
        ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
        // After a kill one call flushes the file system; one for each of a thousand files takes seconds on a busy disk. Linux only.
        ...(process.platform === 'linux' ? ['-c', 'recovery_init_sync_method=syncfs'] : []),
        ...['-c', 'max_connections=100', '-c', `shared_buffers=${sharedBuffers()}`, '-c', 'log_min_messages=warning'],
      ],
      { ...this.account, cwd: this.settings.base, env: environment(), log: this.log },
    );
    await this.untilReady(pid);
    return pid;
  }

  /** "Fast" shutdown: sessions are ended, nothing committed is lost; "immediate" when that takes too long. */
  async stop(pid: number): Promise<void> {
    await endProcess(pid, 'SIGINT', 'SIGQUIT', STOP_GRACE_MS);
  }

  private url(database: string): string {
    return `postgres://${USER}:${this.settings.password}@127.0.0.1:${this.settings.port}/${database}`;
  }

  private get settingsFile(): string {
    return path.join(this.options.state, 'postgres.json');
  }

  private readSettings(): Settings {
    if (existsSync(this.settingsFile)) return JSON.parse(readFileSync(this.settingsFile, 'utf8')) as Settings;
    const { state } = this.options;
    const base = canEnter(this.account, state) ? realpathSync(state) : path.join(OUTSIDE, randomUUID());
    mkdirSync(base, { recursive: true, mode: 0o755 });
    const settings = { base, port: 0, password: randomBytes(24).toString('base64url') };
    writeFileSync(this.settingsFile, JSON.stringify(settings), { mode: 0o600 });
    return settings;
  }

  private writeSettings(): void {
    const draft = `${this.settingsFile}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(this.settings), { mode: 0o600 });
    renameSync(draft, this.settingsFile);
  }

  private checkVersion(): void {
    const file = path.join(this.data, 'PG_VERSION');
    if (!existsSync(file)) return;
    const found = Number(readFileSync(file, 'utf8'));
    if (found === this.binaries.major) return;
    throw new DomainError(
      'FAILED_PRECONDITION',
      `The database in ${this.data} was made by Postgres ${found}; the programs here are Postgres ${this.binaries.major}, which cannot read it.`,
      { hint: `Set PG_BIN to the programs of Postgres ${found}, or STIC_STATE to a new folder.` },
    );
  }

  /** Makes the data folder under another name first, so that one that has its name is whole. */
  private initialize(): void {
    const draft = mkdtempSync(path.join(this.settings.base, 'postgres-new-'));
    const passwordFile = path.join(draft, 'password');
    const folder = path.join(draft, 'data');
    writeFileSync(passwordFile, this.settings.password, { mode: 0o600 });
    mkdirSync(folder, { mode: 0o700 });
    if (this.account) for (const own of [draft, passwordFile, folder]) chownSync(own, this.account.uid, this.account.gid);
    chmodSync(draft, 0o700);
    try {
      execFileSync(
        this.binaries.initdb,
        // The encoding would otherwise follow the environment.
        ['-D', folder, '-U', USER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'],
        { ...this.account, cwd: '/', env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
      );
      renameSync(folder, this.data);
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : messageOf(error);
      throw new DomainError('INTERNAL', `The embedded Postgres could not be set up in ${this.data}: ${said.trim()}`);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }

  /** postmaster.pid: pid in line 1, port in line 4, "ready" in line 8 once it answers. */
  private postmaster(): { pid: number; port: number; ready: boolean } | undefined {
    try {
      const lines = readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
    } catch {
      return undefined;
    }
  }

  /** Pids are used again (in a fresh container at once), so the process must also be a Postgres on this folder. */
  private isOurs(pid: number): boolean {
    return isAlive(pid) && commandOf(pid).includes(this.data);
  }

  /**
   * Postgres takes a zombie, or whoever has the old pid today, for a living postmaster and refuses to start. The file may go
   * once nothing works in the folder any more: the backends of a killed postmaster end by themselves, but not at once.
   */
  private async clearStaleLock(): Promise<void> {
    const file = this.postmaster();
    if (!file || this.isOurs(file.pid)) return;
    const deadline = monotonicMs() + ORPHANS_GONE_WITHIN_MS;
    for (let left = processesIn(this.data); left.length > 0; left = processesIn(this.data)) {
      if (monotonicMs() > deadline) {
        throw new DomainError('FAILED_PRECONDITION', `Processes of an earlier Postgres still use ${this.data}: ${left.join(', ')}.`);
      }
      await pause(20);
    }
    rmSync(path.join(this.data, 'postmaster.pid'), { force: true });
  }

  private async untilReady(pid: number): Promise<void> {
    const deadline = monotonicMs() + READY_WITHIN_MS;
    while (monotonicMs() < deadline) {
      if (!isAlive(pid)) throw new DomainError('UNAVAILABLE', `Postgres ended while starting. Its log says:\n${lastLines(this.log)}`);
      const file = this.postmaster();
      if (file?.pid === pid && file.ready && (await this.answers())) return;
      await pause(10);
    }
    throw new DomainError('UNAVAILABLE', `Postgres (process ${pid}) was not ready after ${READY_WITHIN_MS / 1_000} s. See ${this.log}.`);
  }

  private async answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url('postgres'), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === '28P01') {
        throw new DomainError('FAILED_PRECONDITION', `The password in ${this.settingsFile} is not that of the Postgres in ${this.data}.`);
      }
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async ensureDatabase(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    } finally {
      await client.end();
    }
  }
}

/** Nothing of the user's PG* variables or locale, which would change what the programs do. */
const environment = (): NodeJS.ProcessEnv => ({
  ...inheritedEnvironment((name) => name === 'PATH' || name === 'TMPDIR'),
  LC_ALL: 'C',
  TZ: 'UTC',
});

/** The wished port when it can be had, else any free one. */
function freePort(wished: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wished === 0 ? reject(error) : resolve(freePort(0))));
    probe.listen(wished, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
