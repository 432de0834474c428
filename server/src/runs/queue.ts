import type { EntityManager } from 'typeorm';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunEntity } from '../model/index.js';

type Queued = Pick<RunEntity, 'id' | 'state' | 'priority' | 'position'>;

/**
 * Position of each of the runs that is queued, 1 for the next. Nothing is asked when none is; else the index of the queue is counted up
 * to the last of them.
 */
export async function queuePositions(runs: readonly Queued[], manager: EntityManager): Promise<ReadonlyMap<string, number>> {
  const queued = runs.filter((run) => run.state === RunState.RUN_STATE_QUEUED).sort(inOrder);
  const last = queued.at(-1);
  if (!last) return new Map();
  if (queued.length === 1) return new Map([[last.id, await countUpTo(last, manager)]]);
  const places = await manager.query<{ id: string; place: string }[]>(
    `SELECT id, place FROM (
       SELECT id, row_number() OVER (ORDER BY priority DESC, position) AS place FROM run
       WHERE state = 'RUN_STATE_QUEUED' AND (priority > $1 OR priority = $1 AND position <= $2)) AS ahead
     WHERE id = ANY($3)`,
    [last.priority, last.position, queued.map((run) => run.id)],
  );
  return new Map(places.map(({ id, place }) => [id, Number(place)]));
}

async function countUpTo(run: Queued, manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ place: string }[]>(
    `SELECT (SELECT count(*) FROM run WHERE state = 'RUN_STATE_QUEUED' AND priority > $1)
          + (SELECT count(*) FROM run WHERE state = 'RUN_STATE_QUEUED' AND priority = $1 AND position <= $2) AS place`,
    [run.priority, run.position],
  );
  return Number(row?.place ?? 0);
}

const inOrder = (a: Queued, b: Queued): number => b.priority - a.priority || Number(BigInt(a.position) - BigInt(b.position));
