import type { DataSource, EntityManager } from 'typeorm';
import type { Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';
import { leaseIsOver } from '../../platform/database/lease.js';
import { monotonicMs, pause } from '../../platform/timing.js';
import type { Waiting } from './trainer-selection.js';

/** How long a lease holds without being renewed: a dead server's stages are taken over after at most this. */
export const leaseMs = 3_500;
export const renewMs = 1_000;
const retryMs = 200;

/** The right to move a stage. A write that carries an epoch older than the stage's is refused. */
export type Lease = { readonly stageId: string; readonly runId: string; readonly owner: string; readonly epoch: number };

/** Another server has taken the stage over, or it was settled behind this one's back. */
export class LeaseLost extends Error {
  constructor(lease: Lease) {
    super(`the lease on stage ${lease.stageId} (epoch ${lease.epoch}) has been lost`);
  }
}

/** In one look; the next one takes the rest. */
const mostClaimed = 1_000;

type Claimed = { id: string; run_id: string; epoch: number };

const isFree = leaseIsOver('stage.lease_expires_at', leaseMs);
const mayStart = `stage.state = 'STAGE_STATE_READY' AND (stage.not_before IS NULL OR stage.not_before <= now())`;

/** Stages that need moving whether or not a trainer is free: an attempt is open, their run is to stop, or an equal one has succeeded. */
export function claimOpen(db: DataSource, owner: string): Promise<Lease[]> {
  return claim(
    db,
    owner,
    `(stage.state = 'STAGE_STATE_RUNNING'
      OR stage.state = 'STAGE_STATE_READY' AND coalesce(run.cancel_requested_at, run.pause_requested_at) IS NOT NULL
      OR ${mayStart} AND run.reuse_stages AND EXISTS (
        SELECT 1 FROM attempt WHERE attempt.key = stage.key AND attempt.state = 'JOB_STATE_SUCCEEDED'))`,
    [],
  );
}

/** What the reader of the queue is done with: stages by id, and all that require the same as one that had to wait. */
export type ReadOfQueue = { readonly ids: readonly string[]; readonly requires: readonly (Requirements | null)[] };

/** The first stages that wait for a trainer and that nobody moves, in the order of the queue: priority, then age. */
export function waitingStages(db: DataSource, limit: number, read: ReadOfQueue = { ids: [], requires: [] }): Promise<Waiting[]> {
  return db.query<Waiting[]>(
    `SELECT stage.id, run.requires FROM stage JOIN run ON run.id = stage.run_id
     WHERE ${mayStart} AND ${isFree} AND stage.id <> ALL ($2)
       AND coalesce(run.requires, 'null') <> ALL (SELECT jsonb_array_elements($3::jsonb))
     ORDER BY run.priority DESC, run.position, stage.position LIMIT $1`,
    [limit, read.ids, JSON.stringify(read.requires)],
  );
}

/** Those of the stages that still wait for a trainer. */
export function claimReady(db: DataSource, owner: string, ids: readonly string[]): Promise<Lease[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return claim(db, owner, `${mayStart} AND stage.id = ANY($4)`, [ids]);
}

async function claim(db: DataSource, owner: string, condition: string, parameters: readonly unknown[]): Promise<Lease[]> {
  const [rows] = await db.query<[Claimed[], number]>(
    `UPDATE stage SET lease_owner = $1, lease_expires_at = now() + $2 * interval '1 millisecond', epoch = epoch + 1
     WHERE id IN (
       SELECT stage.id FROM stage JOIN run ON run.id = stage.run_id
       WHERE stage.state IN ('STAGE_STATE_READY', 'STAGE_STATE_RUNNING')
         AND ${isFree} AND ${condition}
       ORDER BY run.priority DESC, run.position, stage.position
       LIMIT $3
       FOR UPDATE OF stage SKIP LOCKED)
     RETURNING id, run_id, epoch`,
    [owner, leaseMs, mostClaimed, ...parameters],
  );
  return rows.map((row) => ({ stageId: row.id, runId: row.run_id, owner, epoch: row.epoch }));
}

/** Prolongs the lease. Throws LeaseLost when it is no longer this owner's. Says whether the run is to stop. */
export async function renew(db: DataSource, lease: Lease): Promise<{ stopRequested: boolean }> {
  const [rows] = await db.query<[{ stop_requested: boolean }[], number]>(
    `UPDATE stage SET lease_expires_at = now() + $3 * interval '1 millisecond'
     FROM run WHERE stage.id = $1 AND stage.epoch = $2 AND stage.lease_owner = $4 AND run.id = stage.run_id
     RETURNING coalesce(run.cancel_requested_at, run.pause_requested_at) IS NOT NULL AS stop_requested`,
    [lease.stageId, lease.epoch, leaseMs, lease.owner],
  );
  const row = rows[0];
  if (!row) throw new LeaseLost(lease);
  return { stopRequested: row.stop_requested };
}

/** Gives the stage back, so that any server may go on with it; while the database is away, as soon as it can be reached. */
export async function release(db: DataSource, lease: Lease, signal: AbortSignal): Promise<void> {
  const from = monotonicMs();
  do {
    try {
      await db.query(`UPDATE stage SET lease_owner = NULL, lease_expires_at = NULL WHERE id = $1 AND epoch = $2 AND lease_owner = $3`, [
        lease.stageId,
        lease.epoch,
        lease.owner,
      ]);
      return;
    } catch {
      // Once it has run out there is nothing to give back.
    }
  } while (monotonicMs() - from < leaseMs && (await pause(retryMs, signal)));
}

/**
 * A transaction that commits only while the lease holds. The run's row is locked first, then the stage's: everyone who changes
 * both does so in this order.
 */
export function fenced<T>(db: DataSource, lease: Lease, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  return db.transaction(async (manager) => {
    await manager.query('SELECT 1 FROM run WHERE id = $1 FOR NO KEY UPDATE', [lease.runId]);
    const held = await manager.query<unknown[]>('SELECT 1 FROM stage WHERE id = $1 AND epoch = $2 AND lease_owner = $3 FOR NO KEY UPDATE', [
      lease.stageId,
      lease.epoch,
      lease.owner,
    ]);
    if (held.length === 0) throw new LeaseLost(lease);
    return work(manager);
  });
}
