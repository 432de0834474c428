import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import type { ArtifactStore } from '../../platform/storage/artifact-store.js';
import { ArtifactEntity, AttemptEntity, RunEntity, StageEntity } from '../../model/index.js';
import type { Tools } from './attempt-watch.js';
import { fenced } from './lease.js';
import type { Lease } from './lease.js';
import { type Point, recordLastMetrics } from './last-metrics.js';
import { succeed } from './attempt-end.js';
import { begin, forgetReports } from './attempt-start.js';
import { storePoints, superseded } from '../../model/metrics.js';
import { pipelineTopic, runTopic } from '../../model/topics.js';

/** An earlier success with the names people know it by. */
type Source = { readonly attempt: AttemptEntity; readonly stage: StageEntity; readonly run: RunEntity };

/**
 * Ends a stage without running it when an equal one has succeeded before: a linked attempt takes over what that one reported.
 * The rows are copied, so that the run stays whole when the other one is deleted; the files are in the store once.
 */
export async function link(tools: Tools, lease: Lease, number: number): Promise<boolean> {
  return fenced(tools.db, lease, async (manager) => {
    const run = await manager.findOneByOrFail(RunEntity, { id: lease.runId });
    const stage = await manager.findOneByOrFail(StageEntity, { id: lease.stageId });
    const source = run.reuseStages && stage.key !== null ? await earlierSuccess(manager, tools.store, stage.key) : undefined;
    if (!source) return false;
    await begin(manager, lease);
    const attempt = await linked(manager, stage, number, source);
    await takeOver(manager, stage, attempt, source);
    await succeed(manager, run, stage, attempt);
    await tools.changes.notify(manager, pipelineTopic);
    await tools.changes.notify(manager, runTopic(run.id));
    return true;
  });
}

/** The newest success with this key whose artifacts are still in the store; one without them loses its key. */
async function earlierSuccess(manager: EntityManager, store: ArtifactStore, key: string): Promise<Source | undefined> {
  const made = await manager.find(AttemptEntity, {
    where: { key, state: JobState.JOB_STATE_SUCCEEDED },
    order: { endedAt: 'DESC' },
    // Who deletes what it made takes its key away first, and waits for this transaction to do so.
    lock: { mode: 'pessimistic_read' },
  });
  for (const attempt of made) {
    if (await isStored(store, await manager.findBy(ArtifactEntity, { attemptId: attempt.id }))) {
      const stage = await manager.findOneByOrFail(StageEntity, { id: attempt.stageId });
      return { attempt, stage, run: await manager.findOneByOrFail(RunEntity, { id: stage.runId }) };
    }
    await manager.update(AttemptEntity, attempt.id, { key: null });
  }
  return undefined;
}

async function isStored(store: ArtifactStore, artifacts: readonly ArtifactEntity[]): Promise<boolean> {
  const found = await Promise.all(
    artifacts.map(({ kind, sha256 }) => (kind === ArtifactKind.ARTIFACT_KIND_TREE ? store.hasTree(sha256) : store.hasBlob(sha256))),
  );
  return !found.includes(false);
}

/** An attempt that has ended as it begins. A link to a link leads to the attempt that did the work. */
async function linked(manager: EntityManager, stage: StageEntity, number: number, { attempt }: Source): Promise<AttemptEntity> {
  const now = new Date();
  return manager.save(
    manager.create(AttemptEntity, {
      id: randomUUID(),
      stageId: stage.id,
      number,
      state: JobState.JOB_STATE_SUCCEEDED,
      trainer: '',
      device: attempt.device,
      dtype: attempt.dtype,
      facts: attempt.facts,
      key: stage.key,
      linkedFrom: attempt.linkedFrom ?? attempt.id,
      startedAt: now,
      endedAt: now,
    }),
  );
}

const copyVisible = storePoints(
  `SELECT $1::uuid, $2::uuid, row_number() OVER (ORDER BY metric_point.id), name, step, value
   FROM metric_point JOIN attempt ON attempt.id = attempt_id
   WHERE attempt.stage_id = $3 AND attempt.number <= $4 AND NOT ${superseded({ newest: '$4' })}
   ORDER BY metric_point.id`,
);

async function takeOver(manager: EntityManager, stage: StageEntity, attempt: AttemptEntity, source: Source): Promise<void> {
  const own = [attempt.id, stage.runId];
  await manager.query(
    `INSERT INTO artifact (attempt_id, run_id, stage_id, seq, name, kind, sha256, bytes, media_type, items, metadata)
     SELECT $1, $2, $3, seq, name, kind, sha256, bytes, media_type, items, metadata FROM artifact WHERE attempt_id = $4`,
    [...own, stage.id, source.attempt.id],
  );
  // A resumed stage has said its series in several attempts.
  await manager.query(copyVisible, [...own, source.stage.id, source.attempt.number]);
  const points = await manager.query<Point[]>(
    'SELECT DISTINCT ON (name) name, step, value FROM metric_point WHERE attempt_id = $1 ORDER BY name, step DESC, seq DESC',
    [attempt.id],
  );
  await recordLastMetrics(manager, { runId: stage.runId, attempt: attempt.number }, points);
  const line = `Linked, not run again: the same stage on the same inputs succeeded in run "${source.run.name}" (${source.run.id}).`;
  await manager.query(`INSERT INTO log_line (attempt_id, run_id, seq, at, level, message) VALUES ($1, $2, 1, now(), 'info', $3)`, [
    ...own,
    line,
  ]);
  await takeOverReports(manager, stage, source);
  if (stage.kind === StageKind.STAGE_KIND_EVALUATE) await takeOverScores(manager, stage.runId, source.run.id);
}

/** What is kept once per stage. */
async function takeOverReports(manager: EntityManager, stage: StageEntity, source: Source): Promise<void> {
  await forgetReports(manager, stage.id);
  await manager.query(
    `INSERT INTO sample (stage_id, run_id, key, subject, image_sha256, image_name, prompt, text)
     SELECT $1, $2, key, subject, image_sha256, image_name, prompt, text FROM sample WHERE stage_id = $3 ORDER BY id`,
    [stage.id, stage.runId, source.stage.id],
  );
  await manager.query(
    `INSERT INTO skipped_item (stage_id, run_id, key, name, code, reason)
     SELECT $1, $2, key, name, code, reason FROM skipped_item WHERE stage_id = $3 ORDER BY id`,
    [stage.id, stage.runId, source.stage.id],
  );
  await manager.update(StageEntity, stage.id, { progress: source.stage.progress });
}

/** The comparison's cells, pointing at this run's own checkpoints. */
async function takeOverScores(manager: EntityManager, runId: string, from: string): Promise<void> {
  await manager.query('DELETE FROM evaluation WHERE run_id = $1', [runId]);
  await manager.query(
    `INSERT INTO evaluation (id, run_id, checkpoint_id, seq, benchmark, metric, subject, mode, "primary", higher_is_better,
       n, value, difference, low, high, majority, versus, created_at)
     SELECT gen_random_uuid(), $1, 
       coalesce((SELECT id FROM checkpoint WHERE run_id = $1 AND name = subject),
         (SELECT champion_id FROM gate WHERE run_id = $1 AND subject = 'champion')), seq, benchmark, metric, subject, mode,
       "primary", higher_is_better, n, value, difference, low, high, majority, versus, now()
     FROM evaluation WHERE run_id = $2`,
    [runId, from],
  );
}
