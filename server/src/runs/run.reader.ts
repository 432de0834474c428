import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Recipe } from '../gen/stic/recipe/v1/recipe.js';
import type { FieldDifference, Run } from '../gen/stic/runs/v1/runs.js';
import { ArtifactEntity, AttemptEntity, RunInputEntity, StageEntity } from '../pipeline/entities/index.js';
import type { RunEntity } from '../pipeline/entities/index.js';
import { PRESETS } from '../pipeline/pipeline.module.js';
import { differencesFromPaper } from '../pipeline/recipe/differences.js';
import type { Presets } from '../pipeline/recipe/presets.js';
import { toRun } from './run.messages.js';

/** Puts runs together from their rows: a fixed number of queries however many runs. */
@Injectable()
export class RunReader {
  constructor(
    private readonly db: DataSource,
    @Inject(PRESETS) private readonly presets: Presets,
  ) {}

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
    const now = new Date();
    return rows.map((row) => {
      const own = <Part extends { runId: string }>(parts: readonly Part[]): Part[] => parts.filter((part) => part.runId === row.id);
      const parts = {
        inputs: own(inputs),
        stages: own(stages),
        attempts,
        artifacts: own(artifacts),
        skipped: skipped.get(row.id) ?? 0,
        queuePosition: queue.indexOf(row.id) + 1,
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

  /** Ids of the queued runs, the next one first. */
  private async queue(manager: EntityManager): Promise<string[]> {
    const queued = await manager.query<{ id: string }[]>(`SELECT id FROM run WHERE state = 'RUN_STATE_QUEUED' ORDER BY position`);
    return queued.map((row) => row.id);
  }
}
