import type { EntityManager } from 'typeorm';
import { Recipe, type StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';
import { SubmitJobRequest } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import type { JobInput } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { championOf } from '../../registry/index.js';
import { AttemptEntity, CheckpointEntity, RunEntity, RunInputEntity, StageEntity } from '../../model/index.js';
import { nodeOf } from '../../model/graph.js';
import type { Source } from '../../model/graph.js';

/** The job of an attempt, from the database alone: the same on every server and at every try. */
export async function jobOf(manager: EntityManager, attemptId: string): Promise<SubmitJobRequest> {
  const attempt = await manager.findOneByOrFail(AttemptEntity, { id: attemptId });
  const stage = await manager.findOneByOrFail(StageEntity, { id: attempt.stageId });
  const run = await manager.findOneByOrFail(RunEntity, { id: stage.runId });
  return SubmitJobRequest.fromPartial({
    jobId: attempt.id,
    runId: run.id,
    kind: stage.kind,
    // Trying again, where to start and whom to promote is the control plane's business; what of it a stage needs is among its inputs.
    recipe: { ...Recipe.fromJSON(run.recipe), retry: undefined, startFrom: undefined, gate: undefined },
    inputs: await inputsOf(manager, run.id, stage.kind),
    resumeFromJobId: attempt.resumeFrom ?? '',
  });
}

/** What a stage reads, in the graph's order: datasets of the run, what its earlier stages have made last, and adapters of others. */
export async function inputsOf(manager: EntityManager, runId: string, kind: StageKind): Promise<JobInput[]> {
  const inputs: JobInput[] = [];
  for (const source of nodeOf(kind).inputs) inputs.push(...(await inputsFrom(manager, runId, source)));
  return inputs;
}

async function inputsFrom(manager: EntityManager, runId: string, source: Source): Promise<JobInput[]> {
  if (source.from === 'dataset') {
    const inputs = await manager.find(RunInputEntity, { where: { runId, role: source.dataset }, order: { position: 'ASC' } });
    return inputs.map((input) => ({
      role: source.role,
      name: input.benchmark,
      sha256: input.digest,
      kind: ArtifactKind.ARTIFACT_KIND_BLOB,
      metadata: { skipped: String(input.skipped), total: String(input.items + input.skipped) },
    }));
  }
  if (source.from === 'start') return adapterOf(manager, 'start', await startOf(manager, runId));
  if (source.from === 'champion') return adapterOf(manager, 'champion', await championOf(manager, runId));
  const [artifact] = await manager.query<{ sha256: string; metadata: Record<string, string> }[]>(
    `SELECT artifact.sha256, artifact.metadata FROM artifact
     JOIN attempt ON attempt.id = artifact.attempt_id JOIN stage ON stage.id = artifact.stage_id
     WHERE stage.run_id = $1 AND stage.kind = $2 AND artifact.name = $3 AND attempt.state = 'JOB_STATE_SUCCEEDED'
     ORDER BY attempt.number DESC, artifact.seq DESC LIMIT 1`,
    [runId, source.stage, source.name],
  );
  if (!artifact) return [];
  return [{ role: source.role, name: '', sha256: artifact.sha256, kind: source.kind, metadata: artifact.metadata }];
}

/** The checkpoint the run starts from; empty for the base model. */
async function startOf(manager: EntityManager, runId: string): Promise<string> {
  const run = await manager.findOneByOrFail(RunEntity, { id: runId });
  return Recipe.fromJSON(run.recipe).startFrom?.checkpointId ?? '';
}

/** A checkpoint of another run as an input; none without one. */
async function adapterOf(manager: EntityManager, role: string, checkpointId: string | undefined): Promise<JobInput[]> {
  if (checkpointId === undefined || checkpointId === '') return [];
  const { adapterSha256, templateHash } = await manager.findOneByOrFail(CheckpointEntity, { id: checkpointId });
  return [{ role, name: '', sha256: adapterSha256, kind: ArtifactKind.ARTIFACT_KIND_TREE, metadata: { template_hash: templateHash } }];
}
