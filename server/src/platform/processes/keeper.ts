import { Logger } from '@nestjs/common';
import { messageOf } from '../errors.js';
import { monotonicMs, pause } from '../timing.js';
import { isAlive } from './process-table.js';

const LOOK_MS = 100;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A process that lived this long has earned a quick restart: what was killed is back at once, what dies at its start is not asked for ever. */
const STABLE_MS = 3_000;

/** A program that outlives the server. Both ways of opening give the pid of a process that answers. */
export type LongLived = {
  name: string;
  /** The one that runs already, if any. */
  adopt(): Promise<number | undefined>;
  start(): Promise<number>;
  stop(pid: number): Promise<void>;
};

/** Has one long-lived process running: adopts or starts it, and starts it again with growing delays when it dies. */
export class Keeper {
  private readonly logger: Logger;
  private readonly closing = new AbortController();
  private pid = 0;
  private watching: Promise<void> = Promise.resolve();

  constructor(private readonly program: LongLived) {
    this.logger = new Logger(program.name);
  }

  async open(): Promise<void> {
    const begun = monotonicMs();
    const adopted = await this.program.adopt();
    this.pid = adopted ?? (await this.program.start());
    this.logger.log(`${adopted === undefined ? 'started' : 'adopted'} process ${this.pid} in ${monotonicMs() - begun} ms`);
    this.watching = this.watch();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.watching;
    if (isAlive(this.pid)) await this.program.stop(this.pid);
  }

  private async watch(): Promise<void> {
    const { signal } = this.closing;
    let delay = FIRST_DELAY_MS;
    let since = monotonicMs();
    while (await pause(LOOK_MS, signal)) {
      if (isAlive(this.pid)) continue;
      delay = monotonicMs() - since > STABLE_MS ? FIRST_DELAY_MS : Math.min(delay * 2, LONGEST_DELAY_MS);
      this.logger.warn(`process ${this.pid} has ended; starting it again`);
      if (!(await pause(delay, signal))) return;
      try {
        this.pid = await this.program.start();
        this.logger.log(`started process ${this.pid}`);
      } catch (error) {
        this.logger.error(messageOf(error));
      }
      since = monotonicMs();
    }
  }
}
