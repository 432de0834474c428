import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { messageOf } from '../platform/errors.js';
import { pause } from '../platform/timing.js';
import { RetentionService } from './retention.service.js';

const pollMs = 30_000;

/** Applies the stored policy when its time has come. Every server looks; a row lock lets one of them do it. */
@Injectable()
export class NightlyRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Retention');
  private readonly closing = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private lastFault = '';

  constructor(private readonly retention: RetentionService) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Before the database is closed. */
  async onModuleDestroy(): Promise<void> {
    this.closing.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.retention.applyDue().then(
        () => (this.lastFault = ''),
        (error: unknown) => this.complain(messageOf(error)),
      );
      await pause(pollMs, this.closing.signal);
    }
  }

  /** Says each fault once, not at every look. */
  private complain(fault: string): void {
    if (fault !== this.lastFault && !this.closing.signal.aborted) this.logger.warn(fault);
    this.lastFault = fault;
  }
}
