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
} from '../gen/stic/retention/v1/retention.js';
import { CheckpointEntity, RunEntity } from '../pipeline/entities/index.js';
import { FILES_LOCK } from '../platform/database/database.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { decide, type Fate } from './decide.js';
import { readFacts } from './facts.js';
import { findOrphans, removeUnlessRenewed, youngest } from './orphans.js';
import { treesInUse } from './references.js';

const DEFAULT_HOURS = 24;
const LONGEST_HOURS = 24 * 3_650;
const LISTED_ORPHANS = 1_000;
const LARGEST_RULE = 36_500;

/** stic.retention.v1.RetentionService. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly db: DataSource,
    private readonly store: ArtifactStore,
  ) {}

  async plan(request: PlanRetentionRequest): Promise<RetentionPlan> {
    const rules = checkedRules(request.rules);
    return planOf(rules, decide(rules, await readFacts(this.db.manager)));
  }

  /** First the rows, in one transaction; then the files. A crash between the two leaves files that are orphans. */
  async apply(request: ApplyRetentionRequest): Promise<ApplyRetentionResponse> {
    const rules = checkedRules(request.rules);
    return this.alone(async () => {
      const going = await this.db.transaction((manager) => markDeleted(manager, rules, request.digest));
      return { deleted: going.length, freed: await this.removeTrees(going) };
    });
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
      const { name } = await manager.findOneByOrFail(RunEntity, { id: row.runId });
      await audit(manager, { verb: pinned ? 'pin' : 'unpin', subject: { type: 'checkpoint', id: row.id, name: `${row.name} of ${name}` } });
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
      const [lock] = (await holder.query('SELECT pg_try_advisory_lock($1) AS held', [FILES_LOCK])) as { held: boolean }[];
      if (lock?.held !== true) {
        throw new DomainError('FAILED_PRECONDITION', 'A backup is being taken, or files are being removed already.', {
          hint: 'Try again when that is done.',
        });
      }
      try {
        return await work();
      } finally {
        await holder.query('SELECT pg_advisory_unlock($1)', [FILES_LOCK]);
      }
    } finally {
      await holder.release();
    }
  }
}

/** Marks what goes, once those rows and their runs can change no more and the plan is still the one that was seen. */
async function markDeleted(manager: EntityManager, rules: RetentionRules, digest: string): Promise<Fate[]> {
  const seen = goingOf(decide(rules, await readFacts(manager)));
  // Runs first: who ends a stage locks its run before it writes a checkpoint.
  const locked = { order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } } as const;
  await manager.find(RunEntity, { where: { id: In(seen.map(({ fact }) => fact.runId)) }, ...locked });
  await manager.find(CheckpointEntity, { where: { id: In(seen.map(({ fact }) => fact.id)) }, ...locked });
  const fates = decide(rules, await readFacts(manager));
  if (planOf(rules, fates).digest !== digest) {
    throw new DomainError('FAILED_PRECONDITION', 'By now these rules give another plan than the one that was shown.', {
      field: 'digest',
      hint: 'Look at the plan again.',
    });
  }
  const going = goingOf(fates);
  await manager.update(CheckpointEntity, { id: In(going.map(({ fact }) => fact.id)) }, { deletedAt: new Date() });
  // Equal stages of later runs are made again instead of linked.
  await manager.query(
    `UPDATE attempt SET key = NULL FROM artifact WHERE attempt_id = attempt.id AND key IS NOT NULL AND name = 'adapter' AND sha256 = ANY($1)`,
    [going.map(({ fact }) => fact.adapterSha256)],
  );
  for (const { fact } of going) {
    await audit(manager, {
      verb: 'delete',
      subject: { type: 'checkpoint', id: fact.id, name: `${fact.name} of ${fact.runName}` },
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

/** Without rules nothing would say that everything may go. */
function checkedRules(rules: RetentionRules | undefined): RetentionRules {
  if (!rules) throw invalid('rules', 'rules is missing.', 'Say what to keep; 0 switches a rule off.');
  for (const [name, field] of [
    ['keep_last_per_schedule', rules.keepLastPerSchedule],
    ['keep_best_per_benchmark', rules.keepBestPerBenchmark],
    ['keep_days', rules.keepDays],
  ] as const) {
    if (field < 0 || field > LARGEST_RULE) throw invalid(`rules.${name}`, `rules.${name} must be from 0 to ${LARGEST_RULE}.`);
  }
  return rules;
}

function checkedHours(hours: number): number {
  if (hours < 0 || hours > LONGEST_HOURS) throw invalid('older_than_hours', `older_than_hours must be from 0 to ${LONGEST_HOURS}.`);
  return hours === 0 ? DEFAULT_HOURS : hours;
}
