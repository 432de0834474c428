import { CatchUpPolicy, ScheduleSpec, TickOrigin, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { FireTimes } from '../fire-times.js';
import { cursorAfter, plan } from './plan.js';

const times = new FireTimes('30 2 * * *', 'UTC');
const spec = (catchUp: CatchUpPolicy, catchUpWindowSeconds = 86_400): ScheduleSpec =>
  ScheduleSpec.fromPartial({ cron: '30 2 * * *', zone: 'UTC', catchUp, catchUpWindowSeconds });
const schedule = { id: 's', pausedAt: null, pauseReason: '', nextAt: new Date('2027-01-01T02:30:00Z') };

/** Day of each time, and what becomes of it. */
function fates(catchUp: CatchUpPolicy, now: string, window?: number): string[] {
  return plan(schedule, spec(catchUp, window), times, new Date(now)).ticks.map((tick) => {
    const fires = tick.state === TickState.TICK_STATE_WAITING;
    return `${tick.nominalAt.getUTCDate()} ${(fires ? tick.origin : tick.reason).replace(/^TICK_(ORIGIN|REASON)_/, '')}`;
  });
}

test('nothing is decided before the time has come, and each time once', () => {
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_NONE, '2027-01-01T02:29:59.999Z')).toStrictEqual([]);
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_NONE, '2027-01-01T02:30:00Z')).toStrictEqual(['1 CLOCK']);
  const { cursor } = plan(schedule, spec(CatchUpPolicy.CATCH_UP_POLICY_NONE), times, new Date('2027-01-01T02:30:00Z'));
  expect(cursor.nextAt?.toISOString()).toBe('2027-01-02T02:30:00.000Z');
});

test('after a gap: none, the last, or all within the window', () => {
  const late = '2027-01-04T12:00:00Z';
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_NONE, late)).toStrictEqual(['1 MISSED', '2 MISSED', '3 MISSED', '4 MISSED']);
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_LAST, late)).toStrictEqual(['1 SUPERSEDED', '2 SUPERSEDED', '3 SUPERSEDED', '4 CATCH_UP']);
  const twoDays = 2 * 86_400;
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_ALL, late, twoDays)).toStrictEqual([
    '1 OUTSIDE_WINDOW',
    '2 OUTSIDE_WINDOW',
    '3 CATCH_UP',
    '4 CATCH_UP',
  ]);
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_LAST, late, 3_600).at(-1)).toStrictEqual('4 OUTSIDE_WINDOW');
});

test('a server that comes back just in time fires tonight and does not count it as missed', () => {
  expect(fates(CatchUpPolicy.CATCH_UP_POLICY_LAST, '2027-01-03T02:30:30Z')).toStrictEqual(['1 SUPERSEDED', '2 SUPERSEDED', '3 CLOCK']);
});

test('while paused every time is skipped, with what the pause is for', () => {
  const { ticks } = plan(
    { ...schedule, pausedAt: new Date('2026-12-31T00:00:00Z'), pauseReason: 'holidays' },
    spec(CatchUpPolicy.CATCH_UP_POLICY_ALL),
    times,
    new Date('2027-01-02T12:00:00Z'),
  );
  expect(ticks.map((tick) => [tick.reason, tick.message])).toStrictEqual(
    Array.from({ length: 2 }, () => [TickReason.TICK_REASON_PAUSED, 'The schedule was paused: holidays']),
  );
});

test('a long gap is dealt with in parts, and the parts make the whole', () => {
  const every = new FireTimes('* * * * *', 'UTC');
  const all = ScheduleSpec.fromPartial({ ...spec(CatchUpPolicy.CATCH_UP_POLICY_LAST), cron: '* * * * *' });
  const now = new Date('2027-01-01T12:30:00Z');
  let nextAt: Date | null = schedule.nextAt;
  const ticks = [];
  for (let part = 0; part < 10; part++) {
    const made = plan({ ...schedule, nextAt }, all, every, now);
    ticks.push(...made.ticks);
    nextAt = made.cursor.nextAt;
  }
  expect(ticks).toHaveLength(601);
  expect(new Set(ticks.map((tick) => tick.nominalAt.getTime())).size).toBe(601);
  // The last minute was looked at in time, the one before it is still within the grace.
  const firing = ticks.filter((tick) => tick.state === TickState.TICK_STATE_WAITING);
  expect(firing.map((tick) => [tick.nominalAt.toISOString().slice(11, 16), tick.origin])).toStrictEqual([
    ['12:29', TickOrigin.TICK_ORIGIN_CLOCK],
    ['12:30', TickOrigin.TICK_ORIGIN_CLOCK],
  ]);
});

test('a schedule that never comes true again has no next time', () => {
  const never = new FireTimes('0 0 30 2 *', 'UTC');
  expect(cursorAfter('s', spec(CatchUpPolicy.CATCH_UP_POLICY_NONE), never, new Date())).toStrictEqual({ nextAt: null, dueAt: null });
});
