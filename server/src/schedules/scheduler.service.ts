import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { DatasetAdditions, DatasetsService } from '../datasets/index.js';
import { Clock } from '../platform/clock.js';
import { Faults } from '../platform/faults.js';
import { Bell } from '../platform/timing.js';
import { BACKGROUND } from '../platform/database/database.js';
import { Changes } from '../platform/database/watch.js';
import { RunActions, RunsService } from '../runs/index.js';
import { fireNext } from './ticks/fire.js';
import { planNext } from './ticks/plan-due.js';
import { settleNext } from './ticks/settle.js';
import { schedulesTopic } from '../model/topics.js';

/** The slow look, for what nothing but the clock tells of. */
const pollMs = 1_000;

/** Takes one thing that is due and deals with it; false when nothing is. */
type Work = () => Promise<boolean>;

/**
 * Fires schedules. Level-triggered: every look asks the database what is due at this moment and claims it with a row lock that ends
 * with its transaction, so any number of servers may do this on one database, and any of them may be killed at any moment.
 */
@Injectable()
export class Scheduler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Scheduler');
  private readonly closing = new AbortController();
  private readonly faults = new Faults(this.logger, this.closing.signal);
  private loops: Promise<void>[] = [];

  constructor(
    @InjectDataSource(BACKGROUND) private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly clock: Clock,
    private readonly runs: RunsService,
    private readonly actions: RunActions,
    private readonly datasets: DatasetsService,
    private readonly additions: DatasetAdditions,
  ) {}

  /** Two loops: a trainer that is slow to answer must not make the times of other schedules missed ones. */
  onApplicationBootstrap(): void {
    this.loops = [this.run(() => this.planDue()), this.run(() => this.fireDue())];
  }

  /** Before the database is closed. */
  async onModuleDestroy(): Promise<void> {
    this.closing.abort();
    await Promise.all(this.loops);
  }

  /** Writes down a tick for every time that has come. */
  async planDue(): Promise<void> {
    const now = await this.clock.now();
    await this.exhaust(() => planNext(this.db, now));
  }

  /** Moves every tick that can be moved: those whose run has ended or is late, then those that wait. */
  async fireDue(): Promise<void> {
    const { db, runs, actions, datasets, additions } = this;
    const now = await this.clock.now();
    const tools = { db, runs, actions, datasets, additions };
    await this.exhaust(() => settleNext(tools, now));
    await this.exhaust(() => fireNext(tools, now));
  }

  private async exhaust(work: Work): Promise<void> {
    while (!this.closing.signal.aborted && (await work())) continue;
  }

  private async run(look: () => Promise<void>): Promise<void> {
    const bell = new Bell();
    const unsubscribe = this.changes.subscribe(schedulesTopic, bell.ring);
    while (!this.closing.signal.aborted) {
      await this.faults.during(look());
      await bell.wait(pollMs, this.closing.signal);
    }
    unsubscribe();
  }
}
