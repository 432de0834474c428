import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import type { ImportProblem, Progress } from '@stic/api/gen/stic/common/v1/common.js';
import type { ImportResult } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { leaseIsOver } from '../platform/database/lease.js';
import { DomainError, messageOf } from '../platform/errors.js';
import { Faults } from '../platform/faults.js';
import { Bell, monotonicMs, pause } from '../platform/timing.js';
import { Changes } from '../platform/database/watch.js';
import { TrainerPool } from '../trainers/index.js';
import { DatasetEntity, DatasetProblemEntity, DatasetVersionEntity } from './dataset.entity.js';
import { datasetTopic, IMPORTS_TOPIC } from '../model/topics.js';

const AT_ONCE = 2;
const LEASE_SECONDS = 10;
const RENEW_MS = 3_000;
const RETRY_SECONDS = 2;
const MOST_TRIES = 5;
const POLL_MS = 2_000;
const PROGRESS_MS = 250;
const PROBLEMS_PER_INSERT = 1_000;

/** A version this process may import; another one can take it over only once the lease has run out. */
type Claim = { versionId: string; datasetId: string; epoch: number };

/**
 * Imports every IMPORTING version through a trainer. What is to be done stands in the database alone: after a restart, or when
 * another server process dies, the import is simply run again, which changes nothing that is already in the store.
 */
@Injectable()
export class DatasetsImporter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Imports');
  private readonly owner = randomUUID();
  private readonly stopping = new AbortController();
  private readonly faults = new Faults(this.logger, this.stopping.signal);
  private readonly bell = new Bell();
  private readonly running = new Set<Promise<void>>();
  private loop: Promise<void> | undefined;

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly changes: Changes,
    private readonly trainers: TrainerPool,
  ) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Before the database goes. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await Promise.all(this.running);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const unsubscribe = this.changes.subscribe(IMPORTS_TOPIC, this.bell.ring);
    while (!signal.aborted) {
      await this.faults.during(this.look());
      await this.bell.wait(POLL_MS, signal);
    }
    unsubscribe();
  }

  private async look(): Promise<void> {
    while (this.running.size < AT_ONCE && !this.stopping.signal.aborted) {
      const claim = await this.claim();
      if (!claim) return;
      const work = this.import(claim).finally(() => {
        this.running.delete(work);
        this.bell.ring();
      });
      this.running.add(work);
    }
  }

  private async claim(): Promise<Claim | undefined> {
    const [rows] = await this.database.query<[{ id: string; dataset_id: string; epoch: number }[], number]>(
      `UPDATE dataset_version
          SET lease_owner = $1, lease_expires_at = now() + $2 * interval '1 second', epoch = epoch + 1
        WHERE id = (SELECT id FROM dataset_version
                     WHERE state = $3 AND ${leaseIsOver('lease_expires_at', LEASE_SECONDS * 1_000)}
                     ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, dataset_id, epoch`,
      [this.owner, LEASE_SECONDS, VersionState.VERSION_STATE_IMPORTING],
    );
    const [row] = rows;
    return row && { versionId: row.id, datasetId: row.dataset_id, epoch: row.epoch };
  }

  private async import(claim: Claim): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, lost.signal]);
    const done = new AbortController();
    const renewing = this.renew(claim, AbortSignal.any([signal, done.signal]), lost);
    try {
      const { result, problems } = await this.receive(claim, signal);
      if (signal.aborted) await this.release(claim, 0);
      else if (result) await this.finish(claim, result, problems);
      else throw new DomainError('UNAVAILABLE', 'The trainer ended the import without a result.');
    } catch (error) {
      await this.fail(claim, error).catch((reason: unknown) => this.logger.warn(`cannot note a failed import: ${messageOf(reason)}`));
    } finally {
      done.abort();
      await renewing;
    }
  }

  private async receive(claim: Claim, signal: AbortSignal): Promise<{ result: ImportResult | undefined; problems: ImportProblem[] }> {
    const { kind, source, imageRoot, imageList } = await this.database.manager.findOneByOrFail(DatasetEntity, { id: claim.datasetId });
    const problems: ImportProblem[] = [];
    let result: ImportResult | undefined;
    let shownAt = -Infinity;
    for await (const { event } of this.trainers.importDataset({ kind, source, imageRoot, imageList }, signal)) {
      if (event?.$case === 'problem') problems.push(event.value);
      if (event?.$case === 'result') result = event.value;
      if (event?.$case === 'progress' && monotonicMs() - shownAt >= PROGRESS_MS) {
        shownAt = monotonicMs();
        await this.showProgress(claim, event.value, problems.length);
      }
    }
    return { result, problems };
  }

  private async showProgress(claim: Claim, { done, total }: Progress, skipped: number): Promise<void> {
    await this.database.transaction((manager) => this.write(manager, claim, { done, total, skipped, errorCode: '', error: '' }));
  }

  private async finish(claim: Claim, result: ImportResult, problems: ImportProblem[]): Promise<void> {
    await this.database.transaction(async (manager) => {
      // One import of a dataset ends at a time: two that found the same content must not both become READY.
      await manager.findOneOrFail(DatasetEntity, { where: { id: claim.datasetId }, lock: { mode: 'pessimistic_write' } });
      const { items, skipped, duplicates, repeats, benchmark, manifestSha256: digest } = result;
      const ended = {
        items,
        skipped,
        duplicates,
        repeats,
        done: items + skipped,
        total: items + skipped,
        leaseOwner: null,
        leaseExpiresAt: null,
      };
      if (items === 0) {
        const error =
          problems.length > 0 ? `None of the ${problems.length} items can be used; see its problems.` : 'The source holds nothing to use.';
        const failed = { ...ended, state: VersionState.VERSION_STATE_FAILED, errorCode: 'EMPTY', error };
        if (await this.write(manager, claim, failed)) await insertProblems(manager, claim.versionId, problems);
        return;
      }
      const state = VersionState.VERSION_STATE_READY;
      const same = await manager.findOneBy(DatasetVersionEntity, { datasetId: claim.datasetId, state, digest });
      if (same) {
        await this.keep(manager, claim, same, problems, repeats);
        return;
      }
      const ready = { ...ended, state, digest, bytes: String(result.bytes), benchmark, errorCode: '', error: '' };
      if (await this.write(manager, claim, ready)) await insertProblems(manager, claim.versionId, problems);
    });
  }

  /** The source holds what an earlier version holds: that one becomes the latest again, with what was refused this time. */
  private async keep(
    manager: EntityManager,
    claim: Claim,
    same: DatasetVersionEntity,
    problems: ImportProblem[],
    repeats: number,
  ): Promise<void> {
    const { affected } = await manager.delete(DatasetVersionEntity, { id: claim.versionId, epoch: claim.epoch });
    if (affected !== 1) return;
    const { number } = await manager
      .createQueryBuilder(DatasetVersionEntity, 'version')
      .select('max(version.number) + 1', 'number')
      .where({ datasetId: claim.datasetId })
      .getRawOne<{ number: number }>()
      .then((row) => row ?? { number: same.number });
    await manager.update(DatasetVersionEntity, same.id, { number, skipped: problems.length, repeats });
    await manager.delete(DatasetProblemEntity, { versionId: same.id });
    await insertProblems(manager, same.id, problems);
    await this.changes.notify(manager, datasetTopic(claim.datasetId));
  }

  /** A trainer that is away only delays; everything else is for the user to know and mend. */
  private async fail(claim: Claim, thrown: unknown): Promise<void> {
    const error = thrown instanceof DomainError ? thrown : unexpected(thrown, claim);
    const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    this.logger.warn(`import of dataset ${claim.datasetId}: ${text}`);
    const reason = { errorCode: error.reason ?? error.code, error: text };
    const passing = error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' || error.code === 'CANCELLED';
    if (passing) await this.release(claim, RETRY_SECONDS, reason);
    else {
      const failed = { ...reason, state: VersionState.VERSION_STATE_FAILED, leaseOwner: null, leaseExpiresAt: null };
      await this.database.transaction((manager) => this.write(manager, claim, failed));
    }
  }

  /** Gives the version back, to be claimed by anyone after the delay. */
  private async release(claim: Claim, delaySeconds: number, reason: { errorCode?: string; error?: string } = {}): Promise<void> {
    const leaseExpiresAt = (): string => `now() + ${delaySeconds} * interval '1 second'`;
    await this.database.transaction((manager) => this.write(manager, claim, { ...reason, leaseOwner: null, leaseExpiresAt }));
  }

  /** Holds the lease until told to stop; `lost` fires when it cannot be held any more. */
  private async renew(claim: Claim, until: AbortSignal, lost: AbortController): Promise<void> {
    let heldAt = monotonicMs();
    while (await pause(RENEW_MS, until)) {
      try {
        const { affected } = await this.database.manager.update(
          DatasetVersionEntity,
          { id: claim.versionId, epoch: claim.epoch },
          { leaseExpiresAt: () => `now() + ${LEASE_SECONDS} * interval '1 second'` },
        );
        if (affected !== 1) {
          lost.abort();
          return;
        }
        heldAt = monotonicMs();
      } catch (error) {
        this.logger.warn(`cannot renew an import's lease: ${messageOf(error)}`);
        if (monotonicMs() - heldAt > LEASE_SECONDS * 1_000) {
          lost.abort();
          return;
        }
      }
    }
  }

  /** Changes the claimed version and tells its watchers; false when the claim is not ours any more. */
  private async write(
    manager: EntityManager,
    claim: Claim,
    change: Parameters<typeof manager.update<DatasetVersionEntity>>[2],
  ): Promise<boolean> {
    const { affected } = await manager.update(DatasetVersionEntity, { id: claim.versionId, epoch: claim.epoch }, change);
    if (affected !== 1) return false;
    await this.changes.notify(manager, datasetTopic(claim.datasetId));
    return true;
  }
}

/** The database may have been away for a moment: an import is tried some times before the reason counts as its own. */
const unexpected = (thrown: unknown, { epoch }: Claim): DomainError =>
  new DomainError(epoch < MOST_TRIES ? 'UNAVAILABLE' : 'INTERNAL', `The import was interrupted: ${messageOf(thrown)}`, { cause: thrown });

async function insertProblems(manager: EntityManager, versionId: string, problems: ImportProblem[]): Promise<void> {
  const rows = problems.map(({ name, code, reason }, i) => ({ versionId, position: i + 1, name, code, reason }));
  for (let i = 0; i < rows.length; i += PROBLEMS_PER_INSERT) {
    await manager.insert(DatasetProblemEntity, rows.slice(i, i + PROBLEMS_PER_INSERT));
  }
}
