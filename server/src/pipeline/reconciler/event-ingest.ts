import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { Progress } from '@stic/api/gen/stic/common/v1/common.js';
import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import type { JobEvent, JobStateChange } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import type { Changes } from '../../platform/database/watch.js';
import {
  ArtifactEntity,
  AttemptEntity,
  CheckpointEntity,
  LogLineEntity,
  SampleEntity,
  SkippedItemEntity,
  StageEntity,
} from '../../model/index.js';
import { championOf } from '../../registry/index.js';
import type { CheckpointName } from '../../model/graph.js';
import { sha256 } from '../../recipe/canonical.js';
import { fenced } from './lease.js';
import type { Lease } from './lease.js';
import { isTerminal } from '../../model/states.js';
import { recordLastMetrics } from './last-metrics.js';
import { settleAttempt } from './attempt-end.js';
import { storePoints } from '../../model/metrics.js';
import { pipelineTopic, runTopic } from '../../model/topics.js';

type Case = NonNullable<JobEvent['event']>['$case'];
type Value<C extends Case> = Extract<NonNullable<JobEvent['event']>, { $case: C }>['value'];
type Numbered<C extends Case> = { readonly seq: bigint; readonly at: Date; readonly value: Value<C> };

/**
 * Stores a batch of an attempt's events with its last seq in one transaction, fenced by the lease. Events up to the stored seq are
 * left out, so a repeated or late batch changes nothing. The terminal event settles the attempt in the same transaction.
 * Returns whether the attempt has ended.
 */
export async function ingest(
  db: DataSource,
  changes: Changes,
  lease: Lease,
  attemptId: string,
  events: readonly JobEvent[],
): Promise<boolean> {
  return fenced(db, lease, async (manager) => {
    const attempt = await manager.findOneByOrFail(AttemptEntity, { id: attemptId });
    if (attempt.endedAt !== null) return true;
    const lastSeq = BigInt(attempt.lastSeq);
    const fresh = events.filter((event) => event.seq > lastSeq).map((event) => (hasNul(event) ? withoutNul(event) : event));
    const last = fresh.at(-1);
    if (last) {
      await store(manager, lease, attempt, fresh);
      await manager.update(AttemptEntity, attempt.id, { lastSeq: last.seq.toString(), unreachableSince: null });
    }
    const ending = of(fresh, 'state').find(({ value }) => isTerminal(value.state))?.value;
    if (ending) {
      await settleAttempt(manager, attempt, { state: ending.state, error: ending.error });
      await changes.notify(manager, pipelineTopic);
    }
    await changes.notify(manager, runTopic(lease.runId));
    return ending !== undefined;
  });
}

async function store(manager: EntityManager, lease: Lease, attempt: AttemptEntity, events: readonly JobEvent[]): Promise<void> {
  const reported = { attemptId: attempt.id, runId: lease.runId };
  const once = { stageId: lease.stageId, runId: lease.runId };
  for (const { value } of of(events, 'state')) await storeState(manager, attempt.id, value);
  const progress = of(events, 'progress').at(-1);
  if (progress) await manager.update(StageEntity, lease.stageId, { progress: Progress.toJSON(progress.value) as object });

  const metrics = of(events, 'metric');
  await storeMetrics(manager, reported, metrics);
  await recordLastMetrics(
    manager,
    { runId: lease.runId, attempt: attempt.number },
    metrics.map(({ value }) => value),
  );
  const lines = of(events, 'log').map(({ seq, at, value }) => ({
    ...reported,
    seq: seq.toString(),
    at,
    level: value.level,
    message: value.message,
  }));
  await insertNew(manager, LogLineEntity, lines);
  const artifacts = of(events, 'artifact').map(({ seq, value }) => ({
    ...reported,
    stageId: lease.stageId,
    ...value,
    seq: seq.toString(),
    bytes: value.bytes.toString(),
  }));
  await insertNew(manager, ArtifactEntity, artifacts);
  const samples = of(events, 'sample').map(({ value }) => ({
    ...once,
    key: keyOf(value.subject, value.imageName, value.prompt),
    ...value,
  }));
  await insertNew(manager, SampleEntity, samples);
  const skipped = of(events, 'skipped').map(({ value }) => ({ ...once, key: keyOf(value.name, value.code), ...value }));
  await insertNew(manager, SkippedItemEntity, skipped);
  for (const { seq, value } of of(events, 'evaluation')) await storeScore(manager, lease.runId, seq, value);
}

/** Six parameters however many points: a parameter each would cost more than the insert. */
async function storeMetrics(
  manager: EntityManager,
  { attemptId, runId }: { attemptId: string; runId: string },
  metrics: readonly Numbered<'metric'>[],
): Promise<void> {
  if (metrics.length === 0) return;
  await manager.query(insertPoints, [
    attemptId,
    runId,
    metrics.map(({ seq }) => seq.toString()),
    metrics.map(({ value }) => value.name),
    metrics.map(({ value }) => value.step),
    metrics.map(({ value }) => value.value),
  ]);
}

const insertPoints = storePoints(
  `SELECT $1::uuid, $2::uuid, seq, name, step, value
   FROM unnest($3::bigint[], $4::text[], $5::integer[], $6::double precision[]) AS point (seq, name, step, value)`,
);

async function storeState(manager: EntityManager, attemptId: string, change: JobStateChange): Promise<void> {
  if (isTerminal(change.state)) return;
  await manager.query(
    `UPDATE attempt SET state = $2, device = CASE WHEN $3 = '' THEN device ELSE $3 END, dtype = CASE WHEN $4 = '' THEN dtype ELSE $4 END,
       resumed_from_step = GREATEST(resumed_from_step, $5::integer), facts = facts || $6::jsonb
     WHERE id = $1`,
    [attemptId, change.state, change.device, change.dtype, change.resumedFromStep, JSON.stringify(change.facts)],
  );
}

/** A cell of the comparison exists once; a later attempt's figures replace an earlier one's. */
async function storeScore(manager: EntityManager, runId: string, seq: bigint, score: EvaluationScore): Promise<void> {
  const checkpointId = await checkpointOf(manager, runId, score.subject);
  await manager.query(
    `INSERT INTO evaluation (id, run_id, checkpoint_id, seq, benchmark, metric, subject, mode, "primary", higher_is_better,
       n, value, difference, low, high, majority, versus, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, now())
     ON CONFLICT (run_id, benchmark, metric, subject, mode, versus) DO UPDATE SET
       checkpoint_id = excluded.checkpoint_id, seq = excluded.seq, "primary" = excluded."primary",
       higher_is_better = excluded.higher_is_better, n = excluded.n, value = excluded.value, difference = excluded.difference,
       low = excluded.low, high = excluded.high, majority = excluded.majority`,
    [
      randomUUID(),
      runId,
      checkpointId,
      seq.toString(),
      score.benchmark,
      score.metric,
      score.subject,
      score.mode,
      score.primary,
      score.higherIsBetter,
      score.n,
      score.value,
      score.difference,
      score.low,
      score.high,
      score.majority,
      score.versus,
    ],
  );
}

/** What a subject of the comparison stands for; null for the base model. */
async function checkpointOf(manager: EntityManager, runId: string, subject: string): Promise<string | null> {
  if (subject === 'base') return null;
  if (subject === 'champion') return (await championOf(manager, runId)) ?? null;
  const checkpoint = await manager.findOneBy(CheckpointEntity, { runId, name: subject as CheckpointName });
  return checkpoint?.id ?? null;
}

async function insertNew<Row extends object>(manager: EntityManager, entity: new () => Row, rows: readonly Partial<Row>[]): Promise<void> {
  if (rows.length === 0) return;
  await manager
    .createQueryBuilder()
    .insert()
    .into(entity)
    .values(rows as never)
    .orIgnore()
    .updateEntity(false)
    .execute();
}

function of<C extends Case>(events: readonly JobEvent[], name: C): Numbered<C>[] {
  return events.flatMap(({ seq, at, event }) =>
    event?.$case === name ? [{ seq, at: at ?? new Date(), value: event.value as Value<C> }] : [],
  );
}

const keyOf = (...parts: string[]): string => sha256(parts.join('\0'));

function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null || value instanceof Date) return false;
  return Object.entries(value).some(([key, inner]) => key.includes('\0') || hasNul(inner));
}

/** Postgres stores every character but NUL, and a journal line that it refused would be refused for ever. */
function withoutNul<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD') as T;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [withoutNul(key), withoutNul(inner as unknown)])) as T;
}
