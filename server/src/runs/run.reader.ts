import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { FieldDifference, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { RunView } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactEntity, AttemptEntity, RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { PRESETS, readOutcomes } from '../pipeline/index.js';
import { differencesFromPaper } from '../recipe/differences.js';
import type { Presets } from '../recipe/presets.js';
import { notFound } from '../platform/errors.js';
import type { DomainError } from '../platform/errors.js';
import { groupBy } from '../platform/group-by.js';
import { checkId } from '../platform/pages.js';
import { TrainerPool } from '../trainers/index.js';
import { queuePositions } from './queue.js';
import { toRun } from './run.messages.js';
import type { LinkedAttempt } from './run.messages.js';
import { namesOf, schedulesOf, skippedCounts, waitingReasons } from './run.related.js';
import { summaryColumns, summaryOf } from './run.summary.js';
import type { SummaryRow, SummaryStage } from './run.summary.js';

/** Recipes whose differences are remembered; lists show few different ones. */
const rememberedRecipes = 1_000;

/** Finds rows of runs; `view` says which columns they need. */
export type FindRuns = (manager: EntityManager, columns: readonly (keyof RunEntity)[] | undefined) => Promise<RunEntity[]>;

/** Puts runs together from their rows: a fixed number of queries however many runs. */
@Injectable()
export class RunReader {
  /** Differences from the paper by recipe digest: a recipe is frozen, and so is the paper while the server runs. */
  private readonly known = new Map<string, FieldDifference[]>();

  constructor(
    private readonly db: DataSource,
    private readonly trainers: TrainerPool,
    @Inject(PRESETS) private readonly presets: Presets,
  ) {}

  async get(runId: string, view = RunView.RUN_VIEW_FULL): Promise<Run> {
    checkId('run_id', runId);
    const [run] = await this.consistently((manager) => manager.findBy(RunEntity, { id: runId }), view);
    if (!run) throw noRun(runId);
    return run;
  }

  /** Rows and parts from one moment: a run never shows a stage that is ahead of it. */
  async consistently(find: FindRuns, view = RunView.RUN_VIEW_FULL): Promise<Run[]> {
    const basic = view === RunView.RUN_VIEW_BASIC;
    return this.db.transaction('REPEATABLE READ', async (manager) => {
      const rows = await find(manager, basic ? summaryColumns : undefined);
      return basic ? this.readSummaries(rows, manager) : this.read(rows, manager);
    });
  }

  async read(rows: readonly RunEntity[], manager: EntityManager): Promise<Run[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const runId = In(ids);
    const inputs = await manager.find(RunInputEntity, { where: { runId }, order: { position: 'ASC' } });
    const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
    const attempts = await manager.find(AttemptEntity, {
      where: { stageId: In(stages.map((stage) => stage.id)) },
      order: { number: 'ASC' },
    });
    const artifacts = await manager.findBy(ArtifactEntity, { runId });
    const linked = await linkedAttempts(attempts, manager);
    const others = [...rows.flatMap((row) => row.forkedFrom ?? []), ...[...linked.values()].map((one) => one.runId)];
    const shared = {
      attempts: groupBy(attempts, (attempt) => attempt.stageId),
      artifacts: groupBy(artifacts, (artifact) => artifact.stageId),
      names: await namesOf(others, manager),
      schedules: await schedulesOf(ids, manager),
      linked,
    };
    const inputsOf = groupBy(inputs, (input) => input.runId);
    const stagesOf = groupBy(stages, (stage) => stage.runId);
    const skipped = await skippedCounts(ids, manager);
    const queue = await queuePositions(rows, manager);
    const waiting = await waitingReasons(rows, stages, this.trainers, manager);
    const outcomes = await readOutcomes(manager, rows, stages);
    const now = new Date();
    return rows.map((row) => {
      const parts = {
        ...shared,
        inputs: inputsOf.get(row.id) ?? [],
        stages: stagesOf.get(row.id) ?? [],
        skipped: skipped.get(row.id) ?? 0,
        queuePosition: queue.get(row.id) ?? 0,
        waiting: waiting.get(row.id) ?? '',
        outcome: outcomes.get(row.id) ?? '',
      };
      return toRun(row, parts, (recipe) => this.differences(recipe, row.recipeDigest), now);
    });
  }

  /** The runs in RUN_VIEW_BASIC, from rows that hold `summaryColumns`. */
  private async readSummaries(rows: readonly SummaryRow[], manager: EntityManager): Promise<Run[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const recipes = await manager.query<{ id: string; preset: string | null; modelPath: string | null }[]>(
      `SELECT id, recipe->>'preset' AS preset, recipe#>>'{model,path}' AS "modelPath" FROM run WHERE id = ANY($1)`,
      [ids],
    );
    const inputs = await manager.query<Pick<RunInputEntity, 'runId' | 'role' | 'datasetName' | 'items' | 'skipped'>[]>(
      `SELECT run_id AS "runId", role, dataset_name AS "datasetName", items, skipped
       FROM run_input WHERE run_id = ANY($1) ORDER BY position`,
      [ids],
    );
    // Times are for the estimate, which an ended run has no need of; reading them takes longer than the rest of the row.
    const stages = await manager.query<SummaryStage[]>(
      `SELECT run_id AS "runId", kind, state, not_before AS "notBefore",
         CASE WHEN run_id = ANY($2) THEN started_at END AS "startedAt", CASE WHEN run_id = ANY($2) THEN ended_at END AS "endedAt",
         CASE WHEN state <> 'STAGE_STATE_SUCCEEDED' THEN progress END AS progress,
         run_id = ANY($2) AND EXISTS (SELECT 1 FROM attempt WHERE stage_id = stage.id AND linked_from IS NOT NULL) AS linked
       FROM stage WHERE run_id = ANY($1) ORDER BY position`,
      [ids, rows.filter((row) => row.endedAt === null).map((row) => row.id)],
    );
    const recipeOf = new Map(recipes.map((recipe) => [recipe.id, recipe]));
    const inputsOf = groupBy(inputs, (input) => input.runId);
    const stagesOf = groupBy(stages, (stage) => stage.runId);
    const shared = {
      names: await namesOf(
        rows.flatMap((row) => row.forkedFrom ?? []),
        manager,
      ),
      schedules: await schedulesOf(ids, manager),
    };
    const skipped = await skippedCounts(ids, manager);
    const queue = await queuePositions(rows, manager);
    const waiting = await waitingReasons(rows, stages, this.trainers, manager);
    const outcomes = await readOutcomes(manager, rows, stages);
    const now = new Date();
    return rows.map((row) => {
      const parts = {
        ...shared,
        preset: recipeOf.get(row.id)?.preset ?? '',
        modelPath: recipeOf.get(row.id)?.modelPath ?? '',
        inputs: inputsOf.get(row.id) ?? [],
        stages: stagesOf.get(row.id) ?? [],
        skipped: skipped.get(row.id) ?? 0,
        queuePosition: queue.get(row.id) ?? 0,
        waiting: waiting.get(row.id) ?? '',
        outcome: outcomes.get(row.id) ?? '',
      };
      return summaryOf(row, parts, now);
    });
  }

  private differences(recipe: Recipe, digest: string): FieldDifference[] {
    const paper = this.presets.get('paper')?.recipe;
    if (!paper) return [];
    const known = this.known.get(digest);
    if (known) return known;
    const differences = differencesFromPaper(paper, recipe);
    const [oldest] = this.known.keys();
    if (this.known.size >= rememberedRecipes && oldest !== undefined) this.known.delete(oldest);
    this.known.set(digest, differences);
    return differences;
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

export const noRun = (id: string): DomainError => notFound(`There is no run ${id}.`, 'run_id');
