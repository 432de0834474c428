import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { type TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { ScheduleEntity, TickEntity } from '../schedule.entity.js';
import type { PlannedTick } from './plan.js';
import { specOf } from '../schedule.messages.js';
import { pausesItself } from '../record-audit.js';

/** Stores ticks in their order. One whose time has fired already, or is about to, is left out: the index decides, on any server. */
export async function insertTicks(
  manager: EntityManager,
  scheduleId: string,
  ticks: readonly PlannedTick[],
  now: Date,
  requestId: string | null = null,
): Promise<void> {
  if (ticks.length === 0) return;
  const rows = ticks.map((tick) => ({
    ...tick,
    id: randomUUID(),
    scheduleId,
    requestId,
    takenAt: now,
    lookAt: now,
    endedAt: tick.state === TickState.TICK_STATE_SKIPPED ? now : null,
  }));
  await manager.createQueryBuilder().insert().into(TickEntity).values(rows).orIgnore().updateEntity(false).execute();
}

/** What a final state is and why. */
export type Ending = { readonly state: TickState; readonly reason: TickReason; readonly message: string };

/** Ends a tick: counts failures, pauses the schedule when they are too many, and gives the next one that waits its turn. */
export async function endTick(manager: EntityManager, tick: TickEntity, { state, reason, message }: Ending, now: Date): Promise<void> {
  await manager.update(TickEntity, tick.id, { state, reason, message, endedAt: now });
  // One that is being looked at now needs no telling; to wait for it could be to wait for each other.
  await manager.query(
    `UPDATE tick SET look_at = $2 WHERE id IN (
       SELECT id FROM tick WHERE schedule_id = $1 AND state = 'TICK_STATE_WAITING' AND reason = 'TICK_REASON_OVERLAP' FOR UPDATE SKIP LOCKED)`,
    [tick.scheduleId, now],
  );
  if (state === TickState.TICK_STATE_SUCCEEDED) await manager.update(ScheduleEntity, tick.scheduleId, { failures: 0 });
  if (state !== TickState.TICK_STATE_FAILED) return;
  const schedule = await manager.findOneOrFail(ScheduleEntity, { where: { id: tick.scheduleId }, lock: { mode: 'pessimistic_write' } });
  const failures = schedule.failures + 1;
  const limit = specOf(schedule).pauseAfterFailures;
  const tooMany = limit > 0 && failures >= limit && schedule.pausedAt === null;
  await manager.update(ScheduleEntity, schedule.id, { failures });
  if (!tooMany) return;
  const inARow = `${failures} ${failures === 1 ? 'failure' : 'failures in a row'}`;
  await pausesItself(manager, schedule, `${inARow}. The last one: ${message}`, now);
}

/** Removes skipped ticks that ended before the moment, the oldest first, at most `limit`; the latest tick of a schedule stays. */
export async function forgetSkipped(manager: EntityManager, before: Date, limit: number): Promise<number> {
  const [, count] = await manager.query<[unknown, number]>(
    `DELETE FROM tick WHERE id IN (
       SELECT old.id FROM tick AS old WHERE old.state = 'TICK_STATE_SKIPPED' AND old.ended_at < $1
         AND EXISTS (SELECT FROM tick AS later WHERE later.schedule_id = old.schedule_id AND later.nominal_at > old.nominal_at)
       ORDER BY old.ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [before, limit],
  );
  return count;
}
