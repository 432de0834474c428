// An attempt that is being followed, as the reconciler leaves it, in a run that nothing takes up.
import { randomUUID } from 'node:crypto';

export async function openAttempt(db, trainer = 'bench') {
  const [runId, stageId, id] = [randomUUID(), randomUUID(), randomUUID()];
  await db.query(
    `INSERT INTO run (id, name, state, recipe, recipe_digest, created_at)
     VALUES ($1, 'bench', 'RUN_STATE_PAUSED', (SELECT recipe FROM run LIMIT 1), $2, now())`,
    [runId, runId],
  );
  await db.query(
    `INSERT INTO stage (id, run_id, position, kind, state, after, lease_owner, lease_expires_at, epoch)
     VALUES ($1, $2, 0, 'STAGE_KIND_DPO', 'STAGE_STATE_PAUSED', '[]', 'bench', now() + interval '1 hour', 1)`,
    [stageId, runId],
  );
  await db.query(`INSERT INTO attempt (id, stage_id, number, state, trainer) VALUES ($1, $2, 1, 'JOB_STATE_RUNNING', $3)`, [
    id,
    stageId,
    trainer,
  ]);
  return { runId, id, lease: { stageId, runId, owner: 'bench', epoch: 1 } };
}
