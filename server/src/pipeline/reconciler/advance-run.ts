import type { EntityManager } from 'typeorm';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { openGate } from '../../registry/index.js';
import { RunEntity, StageEntity } from '../../model/index.js';
import { keyOf } from './cache-key.js';
import { endRun } from './run-transitions.js';

/** Readies the stages whose needs are met; when every stage has succeeded, so has the run. Says whether it has. */
export async function goOn(manager: EntityManager, runId: string): Promise<boolean> {
  const run = await manager.findOneByOrFail(RunEntity, { id: runId });
  const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
  const done = new Set(stages.filter((stage) => stage.state === StageState.STAGE_STATE_SUCCEEDED).map((stage) => stage.kind));
  for (const stage of stages) {
    if (stage.state === StageState.STAGE_STATE_PENDING && stage.after.every((kind) => done.has(kind))) {
      if (stage.kind === StageKind.STAGE_KIND_EVALUATE) await openGate(manager, run);
      const key = await keyOf(manager, run, stage.kind);
      await manager.update(StageEntity, stage.id, { state: StageState.STAGE_STATE_READY, key });
    }
  }
  const over = done.size === stages.length;
  if (over) await endRun(manager, runId, RunState.RUN_STATE_SUCCEEDED, null);
  return over;
}
