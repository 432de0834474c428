import type { EntityManager } from 'typeorm';
import { Recipe } from '../gen/stic/recipe/v1/recipe.js';
import type { Provenance } from '../gen/stic/registry/v1/registry.js';
import { AttemptEntity, RunEntity, RunInputEntity, type CheckpointEntity } from '../pipeline/entities/index.js';

/** What made a checkpoint: data versions, recipe, seed and the commit of the trainer that trained it. */
export async function provenanceOf(manager: EntityManager, checkpoint: CheckpointEntity): Promise<Provenance> {
  const run = await manager.findOneByOrFail(RunEntity, { id: checkpoint.runId });
  const inputs = await manager.find(RunInputEntity, { where: { runId: run.id }, order: { position: 'ASC' } });
  const attempt = await manager.findOneByOrFail(AttemptEntity, { id: checkpoint.attemptId });
  const recipe = Recipe.fromJSON(run.recipe);
  return {
    checkpointId: checkpoint.id,
    checkpointName: checkpoint.name,
    adapterSha256: checkpoint.adapterSha256,
    runId: run.id,
    runName: run.name,
    preset: recipe.preset,
    recipeDigest: run.recipeDigest,
    seed: recipe.seed,
    baseModelPath: checkpoint.baseModelPath,
    baseModelDigest: checkpoint.baseModelDigest,
    commit: attempt.facts['commit'] ?? '',
    data: inputs.map(({ role, datasetName, versionId, digest, items }) => ({ role, datasetName, versionId, digest, items })),
    startedFrom: recipe.startFrom?.checkpointId ?? '',
  };
}
