import type { EntityManager } from 'typeorm';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Provenance } from '@stic/api/gen/stic/registry/v1/registry.js';
import { AttemptEntity, RunEntity, RunInputEntity, type CheckpointEntity } from '../model/index.js';

/** What made a checkpoint: data versions, recipe, seed and the commit of the trainer that trained it. Of an imported one none is known. */
export async function provenanceOf(manager: EntityManager, checkpoint: CheckpointEntity): Promise<Provenance> {
  const { id, name, adapterSha256, baseModelPath, baseModelDigest, runId, attemptId } = checkpoint;
  const itself = { checkpointId: id, checkpointName: name, adapterSha256, baseModelPath, baseModelDigest };
  if (runId === null || attemptId === null) return Provenance.fromPartial(itself);
  const run = await manager.findOneByOrFail(RunEntity, { id: runId });
  const inputs = await manager.find(RunInputEntity, { where: { runId: run.id }, order: { position: 'ASC' } });
  const attempt = await manager.findOneByOrFail(AttemptEntity, { id: attemptId });
  const recipe = Recipe.fromJSON(run.recipe);
  return {
    ...itself,
    runId: run.id,
    runName: run.name,
    preset: recipe.preset,
    recipeDigest: run.recipeDigest,
    seed: recipe.seed,
    commit: attempt.facts['commit'] ?? '',
    data: inputs.map(({ role, datasetName, versionId, digest, items }) => ({ role, datasetName, versionId, digest, items })),
    startedFrom: recipe.startFrom?.checkpointId ?? '',
  };
}
