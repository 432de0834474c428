import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type {
  Checkpoint,
  GetCheckpointRequest,
  GetLineageRequest,
  ImportCheckpointRequest,
  Lineage,
  ListCheckpointsRequest,
  ListCheckpointsResponse,
} from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { LoraConfig, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactEntity, AttemptEntity, CheckpointEntity, RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { notFound } from '../platform/errors.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { checkpointList } from './checkpoint.list.js';
import { CheckpointImporter } from './checkpoint.importer.js';
import { type Ancestor, importedLineage, lineageOf, succeeded } from './lineage.js';

/** stic.checkpoints.v1.CheckpointService. */
@Injectable()
export class CheckpointsService {
  constructor(
    private readonly db: DataSource,
    private readonly store: ArtifactStore,
    private readonly importer: CheckpointImporter,
  ) {}

  async get({ checkpointId }: GetCheckpointRequest): Promise<Checkpoint> {
    const row = await this.row(checkpointId);
    return this.toCheckpoint(row, await this.namesOf([row]));
  }

  async import(request: ImportCheckpointRequest): Promise<Checkpoint> {
    return this.get({ checkpointId: await this.importer.import(request) });
  }

  async list(request: ListCheckpointsRequest): Promise<ListCheckpointsResponse> {
    const query = this.db.manager.createQueryBuilder(CheckpointEntity, 'checkpoint');
    if (request.runId !== '') {
      checkId('run_id', request.runId);
      query.andWhere('checkpoint.runId = :runId', { runId: request.runId });
    }
    const { page, nextPageToken } = await paginate(query, checkpointList, request);
    const names = await this.namesOf(page);
    return { checkpoints: page.map((row) => this.toCheckpoint(row, names)), nextPageToken };
  }

  async lineage({ checkpointId }: GetLineageRequest): Promise<Lineage> {
    const checkpoint = await this.row(checkpointId);
    const { runId } = checkpoint;
    if (runId === null) return importedLineage(checkpoint);
    const { manager } = this.db;
    const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
    const attempts = await manager.find(AttemptEntity, {
      where: { stageId: In(stages.map((stage) => stage.id)) },
      order: { number: 'ASC' },
    });
    const run = await manager.findOneByOrFail(RunEntity, { id: runId });
    return lineageOf(checkpoint, {
      run,
      inputs: await manager.find(RunInputEntity, { where: { runId }, order: { position: 'ASC' } }),
      stages,
      attempts,
      artifacts: await manager.findBy(ArtifactEntity, { attemptId: In(attempts.filter(succeeded).map((attempt) => attempt.id)) }),
      checkpoints: await manager.findBy(CheckpointEntity, { runId }),
      ancestors: await this.ancestorsOf(run),
    });
  }

  private async ancestorsOf(run: RunEntity): Promise<Ancestor[]> {
    const start = Recipe.fromJSON(run.recipe).startFrom?.checkpointId ?? '';
    if (start === '') return [];
    return this.db.manager.query<Ancestor[]>(
      `WITH RECURSIVE chain AS (
         SELECT checkpoint.*, 0 AS depth FROM checkpoint WHERE id = $1
         UNION ALL
         SELECT checkpoint.*, depth + 1 FROM checkpoint JOIN chain ON checkpoint.id = chain.parent_id)
       SELECT chain.id, chain.name, adapter_sha256 AS "adapterSha256", parent_id AS "parentId", run_id AS "runId", run.name AS "runName",
         imported_from AS "importedFrom"
       FROM chain LEFT JOIN run ON run.id = run_id ORDER BY depth`,
      [start],
    );
  }

  private async row(checkpointId: string): Promise<CheckpointEntity> {
    checkId('checkpoint_id', checkpointId);
    const row = await this.db.manager.findOneBy(CheckpointEntity, { id: checkpointId });
    if (!row) throw notFound(`There is no checkpoint ${checkpointId}.`, 'checkpoint_id');
    return row;
  }

  private async namesOf(rows: readonly CheckpointEntity[]): Promise<ReadonlyMap<string, string>> {
    const runs = await this.db.manager.find(RunEntity, {
      select: { id: true, name: true },
      where: { id: In(rows.flatMap((row) => row.runId ?? [])) },
    });
    return new Map(runs.map((run) => [run.id, run.name]));
  }

  private toCheckpoint(row: CheckpointEntity, names: ReadonlyMap<string, string>): Checkpoint {
    const { id, runId, name, adapterSha256, baseModelPath, baseModelDigest, createdAt } = row;
    return {
      id,
      runId: runId ?? '',
      runName: names.get(runId ?? '') ?? '',
      name,
      adapterSha256,
      path: this.store.treePath(adapterSha256),
      bytes: BigInt(row.bytes),
      baseModelPath,
      baseModelDigest,
      parentId: row.parentId ?? '',
      createdAt,
      pinnedAt: row.pinnedAt ?? undefined,
      deletedAt: row.deletedAt ?? undefined,
      importedFrom: row.importedFrom ?? '',
      lora: row.lora ? LoraConfig.fromJSON(row.lora) : undefined,
    };
  }
}
