import { CatchUpPolicy, TickOrigin, TickReason, TickState, type ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { dueAt, type FireTimes } from '../fire-times.js';

/** A time that nobody has looked at for this long after it was due is a missed one. */
export const graceMs = 60_000;
/** Times decided about in one go; a longer gap takes several. */
const atOnce = 200;

export type ScheduleView = {
  readonly id: string;
  readonly pausedAt: Date | null;
  readonly pauseReason: string;
  readonly nextAt: Date | null;
};

/** What becomes of a time by the expression. */
export type PlannedTick = {
  readonly nominalAt: Date;
  readonly dueAt: Date;
  readonly origin: TickOrigin;
  readonly state: TickState.TICK_STATE_WAITING | TickState.TICK_STATE_SKIPPED;
  readonly reason: TickReason;
  readonly message: string;
};

/** How far a schedule has come: the first time nothing has been decided about. */
export type Cursor = { readonly nextAt: Date | null; readonly dueAt: Date | null };

/** The cursor at the first time after the moment. */
export function cursorAfter(scheduleId: string, spec: ScheduleSpec, times: FireTimes, moment: Date): Cursor {
  const nominal = times.next(moment);
  if (!nominal) return { nextAt: null, dueAt: null };
  return { nextAt: nominal, dueAt: dueAt(scheduleId, nominal, times.next(nominal), spec.jitterSeconds) };
}

/** Decides about the times that are due, oldest first. Pure: the same view at the same moment gives the same ticks on any server. */
export function plan(schedule: ScheduleView, spec: ScheduleSpec, times: FireTimes, now: Date): { ticks: PlannedTick[]; cursor: Cursor } {
  const ticks: PlannedTick[] = [];
  const cursorFrom = (nominal: Date | null): Cursor =>
    nominal ? cursorAfter(schedule.id, spec, times, new Date(nominal.getTime() - 1)) : { nextAt: null, dueAt: null };
  let cursor = cursorFrom(schedule.nextAt);
  while (cursor.nextAt && cursor.dueAt && cursor.dueAt <= now && ticks.length < atOnce) {
    const time = { nominalAt: cursor.nextAt, dueAt: cursor.dueAt };
    cursor = cursorAfter(schedule.id, spec, times, cursor.nextAt);
    const isLatest = cursor.dueAt === null || cursor.dueAt > now;
    ticks.push({ ...time, ...fate(schedule, spec, time, isLatest, now) });
  }
  return { ticks, cursor };
}

function fate(
  { pausedAt, pauseReason }: ScheduleView,
  spec: ScheduleSpec,
  time: { nominalAt: Date; dueAt: Date },
  isLatest: boolean,
  now: Date,
): Omit<PlannedTick, 'nominalAt' | 'dueAt'> {
  const skipped = (reason: TickReason, message: string): Omit<PlannedTick, 'nominalAt' | 'dueAt'> => {
    return { origin: TickOrigin.TICK_ORIGIN_CLOCK, state: TickState.TICK_STATE_SKIPPED, reason, message };
  };
  const fires = (origin: TickOrigin): Omit<PlannedTick, 'nominalAt' | 'dueAt'> => {
    return { origin, state: TickState.TICK_STATE_WAITING, reason: TickReason.TICK_REASON_UNSPECIFIED, message: '' };
  };
  if (pausedAt) return skipped(TickReason.TICK_REASON_PAUSED, pausedMessage(pauseReason));
  if (now.getTime() - time.dueAt.getTime() <= graceMs) return fires(TickOrigin.TICK_ORIGIN_CLOCK);
  if (spec.catchUp === CatchUpPolicy.CATCH_UP_POLICY_NONE) {
    return skipped(TickReason.TICK_REASON_MISSED, 'Missed: no server was running then. This schedule does not catch up.');
  }
  if (spec.catchUp === CatchUpPolicy.CATCH_UP_POLICY_LAST && !isLatest) {
    return skipped(TickReason.TICK_REASON_SUPERSEDED, 'Missed: no server was running then. Only the latest missed time is caught up.');
  }
  if (now.getTime() - time.nominalAt.getTime() > spec.catchUpWindowSeconds * 1_000) {
    return skipped(TickReason.TICK_REASON_OUTSIDE_WINDOW, 'Missed: no server was running then, for longer than the catch-up window.');
  }
  return fires(TickOrigin.TICK_ORIGIN_CATCH_UP);
}

export const pausedMessage = (reason: string): string => `The schedule was paused${reason === '' ? '.' : `: ${reason}`}`;
