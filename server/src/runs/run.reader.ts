import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { FieldDifference, Run, RunSchedule } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactEntity, AttemptEntity, RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { openAttempts, PRESETS, readOutcomes, toCandidate, whyWaiting, withoutEnded } from '../pipeline/index.js';
import { differencesFromPaper } from '../recipe/differences.js';
import type { Presets } from '../recipe/presets.js';
import { notFound } from '../platform/errors.js';
import type { DomainError } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { TrainerPool } from '../trainers/index.js';
import { toRun } from './run.messages.js';
import type { LinkedAttempt } from './run.messages.js';

/** Puts runs together from their rows: a fixed number of queries however many runs. */
@Injectable()
export class RunReader {
  constructor(
    private readonly db: DataSource,
    private readonly trainers: TrainerPool,
    @Inject(PRESETS) private readonly presets: Presets,
  ) {}

  async get(runId: string): Promise<Run> {
    checkId('run_id', runId);
    const [run] = await this.consistently((manager) => manager.findBy(RunEntity, { id: runId }));
    if (!run) throw noRun(runId);
    return run;
  }

  /** Rows and parts from one moment: a run never shows a stage that is ahead of it. */
  async consistently(find: (manager: EntityManager) => Promise<RunEntity[]>): Promise<Run[]> {
    return this.db.transaction('REPEATABLE READ', async (manager) => this.read(await find(manager), manager));
  }

  async read(rows: readonly RunEntity[], manager: EntityManager): Promise<Run[]> {
    if (rows.length === 0) return [];
    const runId = In(rows.map((row) => row.id));
    const inputs = await manager.find(RunInputEntity, { where: { runId }, order: { position: 'ASC' } });
    const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
    const attempts = await manager.find(AttemptEntity, {
      where: { stageId: In(stages.map((stage) => stage.id)) },
      order: { number: 'ASC' },
    });
    const artifacts = await manager.findBy(ArtifactEntity, { runId });
    const skipped = await this.skippedCounts(rows, manager);
    const queue = await this.queue(manager);
    const waiting = await this.waiting(rows, stages, manager);
    const linked = await linkedAttempts(attempts, manager);
    const names = await namesOf([...rows.flatMap((row) => row.forkedFrom ?? []), ...[...linked.values()].map((one) => one.runId)], manager);
    const schedules = await schedulesOf(rows, manager);
    const outcomes = await readOutcomes(manager, rows);
    const now = new Date();
    return rows.map((row) => {
      const own = <Part extends { runId: string }>(parts: readonly Part[]): Part[] => parts.filter((part) => part.runId === row.id);
      const parts = {
        inputs: own(inputs),
        stages: own(stages),
        attempts,
        artifacts: own(artifacts),
        skipped: skipped.get(row.id) ?? 0,
        queuePosition: queue.get(row.id) ?? 0,
        waiting: waiting.get(row.id) ?? '',
        outcome: outcomes.get(row.id) ?? '',
        names,
        schedules,
        linked,
      };
      return toRun(row, parts, (recipe) => this.differences(recipe), now);
    });
  }

  differences(recipe: Recipe): FieldDifference[] {
    const paper = this.presets.get('paper')?.recipe;
    return paper ? differencesFromPaper(paper, recipe) : [];
  }

  private async skippedCounts(rows: readonly RunEntity[], manager: EntityManager): Promise<Map<string, number>> {
    const counts = await manager.query<{ run_id: string; count: number }[]>(
      'SELECT run_id, count(*)::integer AS count FROM skipped_item WHERE run_id = ANY($1) GROUP BY run_id',
      [rows.map((row) => row.id)],
    );
    return new Map(counts.map((row) => [row.run_id, row.count]));
  }

  /** Position of each queued run, 1 for the next. */
  private async queue(manager: EntityManager): Promise<ReadonlyMap<string, number>> {
    const queued = await manager.query<{ id: string }[]>(
      `SELECT id FROM run WHERE state = 'RUN_STATE_QUEUED' ORDER BY priority DESC, position`,
    );
    return new Map(queued.map((row, index) => [row.id, index + 1]));
  }

  /** Why runs whose turn it could be are on no trainer. */
  private async waiting(rows: readonly RunEntity[], stages: readonly StageEntity[], manager: EntityManager): Promise<Map<string, string>> {
    const ready = stages.filter((stage) => stage.state === StageState.STAGE_STATE_READY);
    if (ready.length === 0) return new Map();
    const trainers = await withoutEnded(manager, this.trainers.lastSeen().map(toCandidate));
    const open = await openAttempts(manager);
    const now = new Date();
    const reasons = ready.map((stage): [string, string] => {
      const { notBefore } = stage;
      if (notBefore !== null && notBefore > now) return [stage.runId, `tries again after a fault, at ${notBefore.toISOString()}`];
      return [stage.runId, whyWaiting(rows.find((row) => row.id === stage.runId)?.requires ?? null, trainers, open)];
    });
    return new Map(reasons);
  }
}

/** The attempts that linked ones lead to, by id. */
async function linkedAttempts(attempts: readonly AttemptEntity[], manager: EntityManager): Promise<ReadonlyMap<string, LinkedAttempt>> {
  const ids = attempts.flatMap((attempt) => attempt.linkedFrom ?? []);
  if (ids.length === 0) return new Map();
  const found = await manager.query<LinkedAttempt[]>(
    `SELECT attempt.id, stage_id AS "stageId", run_id AS "runId" FROM attempt JOIN stage ON stage.id = stage_id WHERE attempt.id = ANY($1)`,
    [ids],
  );
  return new Map(found.map((attempt) => [attempt.id, attempt]));
}

async function namesOf(ids: readonly string[], manager: EntityManager): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const runs = await manager.query<{ id: string; name: string }[]>('SELECT id, name FROM run WHERE id = ANY($1)', [ids]);
  return new Map(runs.map((run) => [run.id, run.name]));
}

/** By run: the schedule one of whose fires made it. */
async function schedulesOf(rows: readonly RunEntity[], manager: EntityManager): Promise<ReadonlyMap<string, RunSchedule>> {
  const found = await manager.query<(RunSchedule & { runId: string })[]>(
    `SELECT run_id AS "runId", schedule.id AS "scheduleId", schedule.name AS "scheduleName"
     FROM tick JOIN schedule ON schedule.id = schedule_id WHERE run_id = ANY($1)`,
    [rows.map((row) => row.id)],
  );
  return new Map(found.map(({ runId, ...schedule }) => [runId, schedule]));
}

export const noRun = (id: string): DomainError => notFound(`There is no run ${id}.`, 'run_id');
