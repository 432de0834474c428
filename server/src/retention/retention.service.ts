import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { audit } from '../audit/index.js';
import {
  type ApplyRetentionRequest,
  type ApplyRetentionResponse,
  type ListOrphansRequest,
  type ListOrphansResponse,
  type PinCheckpointRequest,
  type PinCheckpointResponse,
  type PlanRetentionRequest,
  type RemoveOrphansRequest,
  type RemoveOrphansResponse,
  RetentionRules,
  type RetentionPlan,
} from '@stic/api/gen/stic/retention/v1/retention.js';
import { CheckpointEntity, RunEntity } from '../model/index.js';
import { Clock } from '../platform/clock.js';
import { advisoryLock } from '../platform/database/locks.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { forgetSkipped } from '../schedules/index.js';
import { forgetDeliveries } from '../webhooks/index.js';
import { type Deleted, nameOf, record } from './applications.js';
import { decide, type Fate } from './decide.js';
import { readFacts } from './facts.js';
import { findOrphans, removeUnlessRenewed, youngest } from './orphans.js';
import { isDue, lockDuePolicy, nextNight, toPolicy } from './policy.js';
import { treesInUse } from './references.js';
import { RetentionApplicationEntity, RetentionPolicyEntity } from './retention.entity.js';
import { checkedRules, deletingRules } from './rules.js';

const DAY_MS = 86_400_000;
const DEFAULT_HOURS = 24;
const LONGEST_HOURS = 24 * 3_650;
const LISTED_ORPHANS = 1_000;
/** Rows of other features that one night may forget: what is more goes the next one. */
const MOST_FORGOTTEN = 50_000;

/** stic.retention.v1.RetentionService. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly db: DataSource,
    private readonly store: ArtifactStore,
    private readonly clock: Clock,
  ) {}

  async plan(request: PlanRetentionRequest): Promise<RetentionPlan> {
    const rules = checkedRules(request.rules);
    return planOf(rules, decide(rules, await readFacts(this.db.manager, await this.clock.now())));
  }

  async apply(request: ApplyRetentionRequest): Promise<ApplyRetentionResponse> {
    const rules = deletingRules(request.rules);
    const now = await this.clock.now();
    const done = await this.carryOut(now, async (manager) => {
      return { rules, going: await markDeleted(manager, rules, now, request.digest), deliveries: 0, ticks: 0 };
    });
    return done ?? { deleted: 0, freed: 0n };
  }

  /** Applies the stored policy if its time has come; false when it has not, or when somebody else is at it or holds the files. */
  async applyDue(): Promise<boolean> {
    const now = await this.clock.now();
    if (!(await isDue(this.db.manager, now))) return false;
    const done = await this.carryOut(now, (manager) => applyPolicy(manager, now)).catch(notIfHeld);
    return done !== undefined;
  }

  async pin({ checkpointId, pinned }: PinCheckpointRequest): Promise<PinCheckpointResponse> {
    checkId('checkpoint_id', checkpointId);
    return this.db.transaction(async (manager) => {
      const row = await manager.findOne(CheckpointEntity, { where: { id: checkpointId }, lock: { mode: 'pessimistic_write' } });
      if (!row) throw notFound(`There is no checkpoint ${checkpointId}.`, 'checkpoint_id');
      if (row.deletedAt !== null) {
        throw new DomainError('FAILED_PRECONDITION', 'This checkpoint has been deleted: there is nothing left to keep.', {
          field: 'checkpoint_id',
        });
      }
      if (pinned === (row.pinnedAt !== null)) return { pinnedAt: row.pinnedAt ?? undefined };
      const pinnedAt = pinned ? new Date() : null;
      await manager.update(CheckpointEntity, row.id, { pinnedAt });
      const run = row.runId === null ? null : await manager.findOneByOrFail(RunEntity, { id: row.runId });
      const name = run ? `${row.name} of ${run.name}` : row.name;
      await audit(manager, { verb: pinned ? 'pin' : 'unpin', subject: { type: 'checkpoint', id: row.id, name } });
      return { pinnedAt: pinnedAt ?? undefined };
    });
  }

  async orphans(request: ListOrphansRequest): Promise<ListOrphansResponse> {
    const { manager } = this.db;
    const before = await youngest(manager, checkedHours(request.olderThanHours));
    const orphans = await findOrphans(manager, this.store, before);
    const bytes = orphans.reduce((sum, orphan) => sum + orphan.bytes, 0n);
    return { orphans: orphans.slice(0, LISTED_ORPHANS), total: orphans.length, bytes, before };
  }

  async removeOrphans(request: RemoveOrphansRequest): Promise<RemoveOrphansResponse> {
    const hours = checkedHours(request.olderThanHours);
    return this.alone(async () => {
      const before = await youngest(this.db.manager, hours);
      let removed = 0;
      let freed = 0n;
      for (const { path, bytes } of await findOrphans(this.db.manager, this.store, before)) {
        if (!(await removeUnlessRenewed(this.store, path, before))) continue;
        removed += 1;
        freed += bytes;
      }
      return { removed, freed };
    });
  }

  /**
   * Deletes by what `mark` gives: first the rows, in its transaction with the record of it; then the files. A crash between the two
   * leaves files that are orphans. Undefined when there was nothing to do.
   */
  private carryOut(now: Date, mark: (manager: EntityManager) => Promise<Deleted | undefined>): Promise<ApplyRetentionResponse | undefined> {
    return this.alone(async () => {
      const marked = await this.db.transaction(async (manager) => {
        const deleted = await mark(manager);
        return deleted && { going: deleted.going, id: await record(manager, deleted, now) };
      });
      if (!marked) return undefined;
      const freed = await this.removeTrees(marked.going);
      await this.db.manager.update(RetentionApplicationEntity, marked.id, { freed: String(freed) });
      return { deleted: marked.going.length, freed };
    });
  }

  /** Removes the files of deleted checkpoints that nothing else refers to; gives the bytes. */
  private async removeTrees(going: readonly Fate[]): Promise<bigint> {
    // A run under way may have come upon the same files, and not said so yet.
    const before = await youngest(this.db.manager, 0);
    const used = await treesInUse(this.db.manager);
    const trees = new Map(going.map(({ fact }) => [fact.adapterSha256, fact.bytes]));
    let freed = 0n;
    for (const [digest, bytes] of trees) {
      if (!used.has(digest) && (await removeUnlessRenewed(this.store, `trees/${digest}`, before))) freed += bytes;
    }
    return freed;
  }

  /** Does the work while nobody else removes files and no backup is taken. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const holder = this.db.createQueryRunner();
    try {
      const [lock] = (await holder.query('SELECT pg_try_advisory_lock($1) AS held', [advisoryLock.files])) as { held: boolean }[];
      if (lock?.held !== true) {
        throw new DomainError('FAILED_PRECONDITION', 'A backup is being taken, or files are being removed already.', {
          hint: 'Try again when that is done.',
        });
      }
      try {
        return await work();
      } finally {
        await holder.query('SELECT pg_advisory_unlock($1)', [advisoryLock.files]);
      }
    } finally {
      await holder.release();
    }
  }
}

/** Deletes by the policy and sets its next time; undefined when another server has done so meanwhile. */
async function applyPolicy(manager: EntityManager, now: Date): Promise<Deleted | undefined> {
  const row = await lockDuePolicy(manager, now);
  if (!row) return undefined;
  const rules = deletingRules(toPolicy(row).rules);
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
  const going = await markDeleted(manager, rules, now);
  const deliveries = row.deliveryDays === 0 ? 0 : await forgetDeliveries(manager, daysAgo(row.deliveryDays), MOST_FORGOTTEN);
  const ticks = row.skippedTickDays === 0 ? 0 : await forgetSkipped(manager, daysAgo(row.skippedTickDays), MOST_FORGOTTEN);
  await manager.update(RetentionPolicyEntity, row.id, { nextAt: nextNight(row, now) });
  return { rules, going, deliveries, ticks };
}

/** While a backup holds the files, or somebody removes some, the policy waits: the next look finds it due again. */
function notIfHeld(error: unknown): undefined {
  if (!(error instanceof DomainError && error.code === 'FAILED_PRECONDITION')) throw error;
}

/** Marks what goes, once those rows and their runs can change no more and the plan is still the one that was seen, if one was. */
async function markDeleted(manager: EntityManager, rules: RetentionRules, now: Date, digest?: string): Promise<Fate[]> {
  const seen = goingOf(decide(rules, await readFacts(manager, now)));
  // Runs first: who ends a stage locks its run before it writes a checkpoint.
  const locked = { order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } } as const;
  await manager.find(RunEntity, { where: { id: In(seen.map(({ fact }) => fact.runId)) }, ...locked });
  await manager.find(CheckpointEntity, { where: { id: In(seen.map(({ fact }) => fact.id)) }, ...locked });
  const fates = decide(rules, await readFacts(manager, now));
  if (digest !== undefined && planOf(rules, fates).digest !== digest) {
    throw new DomainError('FAILED_PRECONDITION', 'By now these rules give another plan than the one that was shown.', {
      field: 'digest',
      hint: 'Look at the plan again.',
    });
  }
  const going = goingOf(fates);
  await manager.update(CheckpointEntity, { id: In(going.map(({ fact }) => fact.id)) }, { deletedAt: now });
  // Equal stages of later runs are made again instead of linked.
  await manager.query(
    `UPDATE attempt SET key = NULL FROM artifact WHERE attempt_id = attempt.id AND key IS NOT NULL AND name = 'adapter' AND sha256 = ANY($1)`,
    [going.map(({ fact }) => fact.adapterSha256)],
  );
  for (const { fact } of going) {
    await audit(manager, {
      verb: 'delete',
      subject: { type: 'checkpoint', id: fact.id, name: nameOf(fact) },
      details: { adapter_sha256: fact.adapterSha256, rules: JSON.stringify(RetentionRules.toJSON(rules)) },
    });
  }
  return going;
}

const goingOf = (fates: readonly Fate[]): Fate[] => fates.filter(({ keeps }) => keeps.length === 0);

function planOf(rules: RetentionRules, fates: readonly Fate[]): RetentionPlan {
  const going = goingOf(fates);
  const names = going.map(({ fact }) => fact.id).sort();
  return {
    rules,
    verdicts: fates.map(({ fact, keeps, frees }) => ({
      checkpointId: fact.id,
      runId: fact.runId,
      runName: fact.runName,
      name: fact.name,
      adapterSha256: fact.adapterSha256,
      createdAt: fact.createdAt,
      bytes: fact.bytes,
      frees,
      keeps: [...keeps],
    })),
    going: going.length,
    frees: going.reduce((sum, { frees }) => sum + frees, 0n),
    digest: createHash('sha256').update(names.join('\n')).digest('hex'),
  };
}

function checkedHours(hours: number): number {
  if (hours < 0 || hours > LONGEST_HOURS) throw invalid('older_than_hours', `older_than_hours must be from 0 to ${LONGEST_HOURS}.`);
  return hours === 0 ? DEFAULT_HOURS : hours;
}
