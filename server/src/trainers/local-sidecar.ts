import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { type Config, inheritedEnvironment } from '../platform/config/config.js';
import { DomainError, messageOf } from '../platform/errors.js';
import { lastLines, startDetached } from '../platform/processes/detached.js';
import { Keeper, type LongLived } from '../platform/processes/keeper.js';
import { commandOf, endProcess, isAlive } from '../platform/processes/process-table.js';
import { monotonicMs, pause } from '../platform/timing.js';
import { TrainerClient } from './trainer.client.js';
import { TrainerDirectory } from './trainer-directory.js';

const READY_WITHIN_MS = 60_000;
/** Longer than the sidecar gives its workers to save their state. */
const STOP_GRACE_MS = 45_000;

const readyFile = z.object({ pid: z.number().int(), port: z.number().int() });

/** The server's secrets are none of the workers' business. */
const isSecret = (name: string): boolean => name === 'DATABASE_URL' || name.startsWith('PG');

/** The trainer on this machine: it outlives the server, with its jobs, and is found again through `<state>/trainer.json`. */
export class LocalSidecar extends TrainerDirectory implements LongLived {
  readonly name = 'Trainer';
  private readonly logger = new Logger('Trainer');
  private readonly keeper = new Keeper(this);
  private readonly readyFile: string;
  private readonly log: string;
  private opening: Promise<void> = Promise.resolve();
  private address: string | undefined;

  constructor(
    private readonly config: Pick<Config, 'state' | 'store' | 'paths' | 'dataRoots'>,
    private readonly storeId: string,
  ) {
    super();
    this.readyFile = path.join(config.state, 'trainer.json');
    this.log = path.join(config.state, 'logs/trainer.log');
  }

  addresses(): string[] {
    return this.address === undefined ? [] : [this.address];
  }

  /** Adopts or starts it without making the server wait; until it answers there is no trainer. */
  open(): void {
    this.opening = this.keeper.open().catch((error: unknown) => this.logger.error(messageOf(error)));
  }

  async close(): Promise<void> {
    await this.opening;
    await this.keeper.close();
  }

  async adopt(): Promise<number | undefined> {
    const ready = this.readReadyFile();
    if (!ready || !isAlive(ready.pid) || !commandOf(ready.pid).includes('stic_trainer')) return undefined;
    const client = new TrainerClient(`127.0.0.1:${ready.port}`);
    try {
      const info = await client.getInfo();
      if (info.storeId !== this.storeId) throw new DomainError('FAILED_PRECONDITION', 'it uses another artifact store');
    } catch (error) {
      // It would hold the lock on the folder that the new one needs.
      this.logger.warn(`the trainer of an earlier server (process ${ready.pid}) is replaced: ${messageOf(error)}`);
      await this.stop(ready.pid);
      return undefined;
    } finally {
      client.close();
    }
    this.address = client.address;
    return ready.pid;
  }

  async start(): Promise<number> {
    this.address = undefined;
    const { python, trainer } = this.config.paths;
    if (!existsSync(python)) {
      throw new DomainError('FAILED_PRECONDITION', `The trainer's Python is missing: ${python}`, { hint: 'Run `npm run setup`.' });
    }
    rmSync(this.readyFile, { force: true });
    const args = ['-m', 'stic_trainer', 'sidecar', '--listen', '127.0.0.1:0'];
    const folders = ['--store', this.config.store, '--state', path.join(this.config.state, 'trainer'), '--ready-file', this.readyFile];
    const settings = { STIC_STATE: this.config.state, STIC_DATA_ROOTS: this.config.dataRoots.join(':') };
    const env = { ...inheritedEnvironment((name) => !isSecret(name)), ...settings, PYTHONPATH: trainer, PYTHONUNBUFFERED: '1' };
    const pid = await startDetached(python, [...args, ...folders], { cwd: trainer, env, log: this.log });
    this.address = `127.0.0.1:${await this.untilReady(pid)}`;
    return pid;
  }

  async stop(pid: number): Promise<void> {
    this.address = undefined;
    await endProcess(pid, 'SIGTERM', 'SIGKILL', STOP_GRACE_MS);
  }

  private async untilReady(pid: number): Promise<number> {
    const deadline = monotonicMs() + READY_WITHIN_MS;
    while (monotonicMs() < deadline) {
      const ready = this.readReadyFile();
      if (ready?.pid === pid) return ready.port;
      if (!isAlive(pid)) throw new DomainError('UNAVAILABLE', `The trainer ended while starting. Its log says:\n${lastLines(this.log)}`);
      await pause(50);
    }
    await this.stop(pid);
    throw new DomainError('UNAVAILABLE', `The trainer was not ready after ${READY_WITHIN_MS / 1_000} s. See ${this.log}.`);
  }

  private readReadyFile(): z.infer<typeof readyFile> | undefined {
    try {
      return readyFile.parse(JSON.parse(readFileSync(this.readyFile, 'utf8')));
    } catch {
      return undefined;
    }
  }
}
