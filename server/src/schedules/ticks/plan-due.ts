import type { DataSource } from 'typeorm';
import { DomainError } from '../../platform/errors.js';
import { FireTimes } from '../fire-times.js';
import { cursorAfter, plan } from './plan.js';
import { ScheduleEntity } from '../schedule.entity.js';
import { specOf } from '../schedule.messages.js';
import { insertTicks } from './store.js';
import { pausesItself } from '../record-audit.js';

/** Servers share the database's clock; what is ahead of it by more has been written before the clock was set back. */
const setBackSeconds = 60;

/**
 * Decides about the due times of one schedule, in one transaction with the cursor that passes them; false when none is due. Had the
 * clock been ahead and was set back, the cursor is put back too: what has fired meanwhile does not fire again, the index sees to that.
 */
export function planNext(db: DataSource, now: Date): Promise<boolean> {
  return db.transaction(async (manager) => {
    const schedule = await manager
      .createQueryBuilder(ScheduleEntity, 'schedule')
      .where(`schedule.dueAt <= :now OR schedule.decidedAt > CAST(:now AS timestamptz) + :setBackSeconds * interval '1 second'`, {
        now,
        setBackSeconds,
      })
      .orderBy('schedule.dueAt')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getOne();
    if (!schedule) return false;
    const spec = specOf(schedule);
    try {
      const times = new FireTimes(spec.cron, spec.zone);
      if (schedule.decidedAt.getTime() > now.getTime() + setBackSeconds * 1_000) {
        await manager.update(ScheduleEntity, schedule.id, { ...cursorAfter(schedule.id, spec, times, now), decidedAt: now });
        return true;
      }
      const { ticks, cursor } = plan(schedule, spec, times, now);
      await insertTicks(manager, schedule.id, ticks, now);
      await manager.update(ScheduleEntity, schedule.id, { ...cursor, decidedAt: now });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      // A zone that this system does not know any more: a person must choose another.
      await manager.update(ScheduleEntity, schedule.id, { nextAt: null, dueAt: null, decidedAt: now });
      await pausesItself(manager, schedule, error.message, now);
    }
    return true;
  });
}
