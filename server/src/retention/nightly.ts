import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Faults } from '../platform/faults.js';
import { pause } from '../platform/timing.js';
import { RetentionService } from './retention.service.js';

const pollMs = 30_000;

/** Applies the stored policy when its time has come. Every server looks; a row lock lets one of them do it. */
@Injectable()
export class NightlyRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Retention');
  private readonly closing = new AbortController();
  private readonly faults = new Faults(this.logger, this.closing.signal);
  private loop: Promise<void> = Promise.resolve();

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
      await this.faults.during(this.retention.applyDue());
      await pause(pollMs, this.closing.signal);
    }
  }
}
