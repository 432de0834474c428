import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { messageOf } from '../../platform/errors.js';
import { Faults } from '../../platform/faults.js';
import { Bell, monotonicMs } from '../../platform/timing.js';
import { ArtifactStore } from '../../platform/storage/artifact-store.js';
import { BACKGROUND } from '../../platform/database/database.js';
import { Changes } from '../../platform/database/watch.js';
import { TrainerPool } from '../../trainers/index.js';
import { drive } from './reconcile-stage.js';
import type { Tools } from './attempt-watch.js';
import { claimOpen, claimReady } from './lease.js';
import type { Lease } from './lease.js';
import { startable } from './attempt-start.js';
import { sweep } from './sweep.js';
import { pipelineTopic } from '../../model/topics.js';

/** The slow look, for what no notification tells of: expired leases, trainers that have come back. */
const pollMs = 1_000;
const sweepMs = 5_000;

/**
 * Looks at the database, leases the stages that can be moved and moves them. Nothing that matters is in memory: any number of
 * servers may do this on one database, and any of them may be killed at any moment.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Reconciler');
  private readonly owner = `${hostname()}/${process.pid}/${randomUUID()}`;
  private readonly closing = new AbortController();
  private readonly faults = new Faults(this.logger, this.closing.signal);
  private readonly bell = new Bell();
  private readonly driving = new Set<Promise<void>>();
  private readonly tools: Tools;
  private loop: Promise<void> = Promise.resolve();
  private sweptAt = -Infinity;

  constructor(@InjectDataSource(BACKGROUND) db: DataSource, changes: Changes, trainers: TrainerPool, store: ArtifactStore) {
    this.tools = { db, changes, trainers, store };
  }

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Before the database is closed: the leases are given back, so that another server need not wait for their end. */
  async onModuleDestroy(): Promise<void> {
    this.closing.abort();
    await this.loop;
    await Promise.allSettled(this.driving);
  }

  private async run(): Promise<void> {
    const unsubscribe = this.tools.changes.subscribe(pipelineTopic, this.bell.ring);
    while (!this.closing.signal.aborted) {
      await this.faults.during(this.tick());
      await this.bell.wait(pollMs, this.closing.signal);
    }
    unsubscribe();
  }

  private async tick(): Promise<void> {
    for (const lease of await claimOpen(this.tools.db, this.owner)) this.take(lease);
    for (const lease of await this.claimWaiting()) this.take(lease);
    if (monotonicMs() - this.sweptAt > sweepMs) {
      this.sweptAt = monotonicMs();
      await sweep(this.tools);
    }
  }

  /** Trainers are only asked when there is something for them. */
  private async claimWaiting(): Promise<Lease[]> {
    const [waiting] = await this.tools.db.query<unknown[]>(`SELECT 1 FROM stage WHERE state = 'STAGE_STATE_READY' LIMIT 1`);
    return waiting === undefined ? [] : claimReady(this.tools.db, this.owner, await startable(this.tools));
  }

  private take(lease: Lease): void {
    const driven = drive(this.tools, lease, this.closing.signal)
      .catch((error: unknown) => this.faults.complain(`stage ${lease.stageId}: ${messageOf(error)}`))
      .finally(() => this.driving.delete(driven));
    this.driving.add(driven);
  }
}
