import type { DataSource, EntityManager } from 'typeorm';
import { JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { RunEntity } from '../../model/index.js';
import { terminalRunStates } from '../../model/states.js';
import type { RunActions } from '../../runs/index.js';
import { TickEntity } from '../schedule.entity.js';
import { endTick, type Ending } from './store.js';

type Tools = { readonly db: DataSource; readonly actions: RunActions };

/** Deals with one tick whose run has ended, is gone or has passed its deadline; false when there is none. */
export function settleNext({ db, actions }: Tools, now: Date): Promise<boolean> {
  return db.transaction(async (manager) => {
    const [due] = await manager.query<{ id: string; deadline: number }[]>(
      `SELECT tick.id, (schedule.spec->>'deadline_seconds')::integer AS deadline
         FROM tick JOIN schedule ON schedule.id = tick.schedule_id LEFT JOIN run ON run.id = tick.run_id
        WHERE tick.state = 'TICK_STATE_RUNNING'
          AND (run.id IS NULL OR run.state = ANY($2)
               OR ((schedule.spec->>'deadline_seconds')::integer > 0 AND tick.reason = 'TICK_REASON_UNSPECIFIED'
                   AND tick.fired_at + (schedule.spec->>'deadline_seconds')::integer * interval '1 second' <= $1))
        ORDER BY tick.position LIMIT 1 FOR UPDATE OF tick SKIP LOCKED`,
      [now, terminalRunStates],
    );
    if (!due) return false;
    const tick = await manager.findOneByOrFail(TickEntity, { id: due.id });
    const ending = await endingOf(manager, tick);
    if (ending) await endTick(manager, tick, ending, now);
    else await cancelLate(manager, actions, tick, due.deadline);
    return true;
  });
}

async function cancelLate(manager: EntityManager, actions: RunActions, tick: TickEntity, deadlineSeconds: number): Promise<void> {
  const message = `Cancelled: the run had not ended ${deadlineSeconds} s after its fire, which is its deadline.`;
  await manager.update(TickEntity, tick.id, { reason: TickReason.TICK_REASON_DEADLINE, message });
  if (tick.runId !== null) await actions.cancel({ runId: tick.runId });
}

/** What the end of the tick's run means for the tick; undefined while the run goes on. */
async function endingOf(manager: EntityManager, tick: TickEntity): Promise<Ending | undefined> {
  const run = tick.runId === null ? null : await manager.findOneBy(RunEntity, { id: tick.runId });
  if (!run) return cancelled(TickReason.TICK_REASON_RUN_DELETED, 'The run was deleted before it ended.');
  if (run.state === RunState.RUN_STATE_SUCCEEDED) {
    return { state: TickState.TICK_STATE_SUCCEEDED, reason: TickReason.TICK_REASON_UNSPECIFIED, message: '' };
  }
  if (run.state === RunState.RUN_STATE_FAILED) {
    const message = `The run failed: ${run.error ? JobError.fromJSON(run.error).message : 'no reason given.'}`;
    return { state: TickState.TICK_STATE_FAILED, reason: TickReason.TICK_REASON_RUN_FAILED, message };
  }
  if (run.state !== RunState.RUN_STATE_CANCELLED) return undefined;
  if (tick.reason === TickReason.TICK_REASON_DEADLINE) {
    return { state: TickState.TICK_STATE_FAILED, reason: tick.reason, message: tick.message };
  }
  if (tick.reason === TickReason.TICK_REASON_OVERTAKEN) return cancelled(tick.reason, tick.message);
  return cancelled(TickReason.TICK_REASON_RUN_CANCELLED, 'The run was cancelled.');
}

const cancelled = (reason: TickReason, message: string): Ending => ({ state: TickState.TICK_STATE_CANCELLED, reason, message });
