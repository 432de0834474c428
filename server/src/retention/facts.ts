import type { EntityManager } from 'typeorm';
import { GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Fact, Facts, Score } from './decide.js';

type Row = Omit<Fact, 'bytes' | 'schedule' | 'aliases' | 'neededBy'> & { bytes: string; scheduleId: string | null; scheduleName: string };
type Named = { id: string; what: string };

/** Everything the rules ask about, as it is now. The rules are about what runs have made: imported checkpoints stay. */
export async function readFacts(manager: EntityManager, now: Date): Promise<Facts> {
  const rows = await query<Row>(
    manager,
    `SELECT checkpoint.id, run_id AS "runId", run.name AS "runName", checkpoint.name, adapter_sha256 AS "adapterSha256", bytes,
       base_model_digest AS "baseModelDigest", checkpoint.created_at AS "createdAt", pinned_at AS "pinnedAt", parent_id AS "parentId",
       run.state = $1 AS succeeded, schedule.id AS "scheduleId", schedule.name AS "scheduleName"
     FROM checkpoint
       JOIN run ON run.id = checkpoint.run_id
       LEFT JOIN LATERAL (SELECT schedule_id FROM tick WHERE tick.run_id = run.id LIMIT 1) AS fire ON true
       LEFT JOIN schedule ON schedule.id = fire.schedule_id
     WHERE deleted_at IS NULL
     ORDER BY checkpoint.created_at DESC, checkpoint.id DESC`,
    [RunState.RUN_STATE_SUCCEEDED],
  );
  const aliases = grouped(await pointedAt(manager));
  const needed = grouped(await neededBy(manager));
  const scores = await query<Score>(
    manager,
    `SELECT checkpoint_id AS "checkpointId", benchmark, metric, value, higher_is_better AS "higherIsBetter"
     FROM evaluation WHERE checkpoint_id IS NOT NULL AND "primary" AND mode = 'plain'`,
  );
  const checkpoints = rows.map(({ scheduleId, scheduleName, ...row }) => ({
    ...row,
    bytes: BigInt(row.bytes),
    schedule: scheduleId === null ? null : { id: scheduleId, name: scheduleName },
    aliases: aliases.get(row.id) ?? [],
    neededBy: needed.get(row.id) ?? [],
  }));
  return { now, checkpoints, scores };
}

/** Checkpoints that something outside the runs points at, with what it is. */
async function pointedAt(manager: EntityManager): Promise<Named[]> {
  return query<Named>(
    manager,
    `SELECT checkpoint_id AS id, 'It is the ' || name || '.' AS what FROM alias WHERE checkpoint_id IS NOT NULL
     UNION ALL
     SELECT from_checkpoint_id, 'A rollback of the ' || name || ' would restore it.'
     FROM alias JOIN alias_move ON alias_id = alias.id AND number = version WHERE from_checkpoint_id IS NOT NULL
     UNION ALL
     SELECT candidate_id, 'It waits to be approved as the ' || alias || '.' FROM gate WHERE state = $1 AND candidate_id IS NOT NULL`,
    [GateState.GATE_STATE_PENDING],
  );
}

/** Checkpoints that runs under way have made or start from, with the run's name. */
async function neededBy(manager: EntityManager): Promise<Named[]> {
  return query<Named>(
    manager,
    `SELECT checkpoint.id, run.name AS what
     FROM run LEFT JOIN gate ON gate.run_id = run.id
       JOIN checkpoint ON checkpoint.run_id = run.id OR checkpoint.id = champion_id
         OR checkpoint.id::text = recipe -> 'start_from' ->> 'checkpoint_id'
     WHERE ended_at IS NULL`,
  );
}

function grouped(rows: readonly Named[]): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { id, what } of rows) groups.set(id, [...(groups.get(id) ?? []), what]);
  return groups;
}

const query = <R>(manager: EntityManager, sql: string, parameters: unknown[] = []): Promise<R[]> => manager.query<R[]>(sql, parameters);
