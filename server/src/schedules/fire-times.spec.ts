import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueAt, FireTimes, localTime } from './fire-times.js';

/** Fire times on the zone's clocks over the days from noon of the first to noon of the last. */
function nights(cron: string, zone: string, from: string, to: string): string[] {
  const times: string[] = [];
  for (const time of new FireTimes(cron, zone).after(new Date(`${from}T12:00:00Z`))) {
    if (time >= new Date(`${to}T12:00:00Z`)) break;
    times.push(localTime(time, zone));
  }
  return times;
}

test('once per night on both nights of daylight saving in Paris', () => {
  assert.deepEqual(nights('30 2 * * *', 'Europe/Paris', '2027-03-26', '2027-03-29'), [
    '2027-03-27T02:30:00+01:00',
    '2027-03-28T03:00:00+02:00',
    '2027-03-29T02:30:00+02:00',
  ]);
  assert.deepEqual(nights('30 2 * * *', 'Europe/Paris', '2027-10-29', '2027-11-01'), [
    '2027-10-30T02:30:00+02:00',
    '2027-10-31T02:30:00+02:00',
    '2027-11-01T02:30:00+01:00',
  ]);
});

test('once per night on both nights of daylight saving in New York', () => {
  assert.deepEqual(nights('30 2 * * *', 'America/New_York', '2027-03-12', '2027-03-15'), [
    '2027-03-13T02:30:00-05:00',
    '2027-03-14T03:00:00-04:00',
    '2027-03-15T02:30:00-04:00',
  ]);
  assert.deepEqual(nights('30 1 * * *', 'America/New_York', '2027-11-05', '2027-11-08'), [
    '2027-11-06T01:30:00-04:00',
    '2027-11-07T01:30:00-04:00',
    '2027-11-08T01:30:00-05:00',
  ]);
});

test('a list of hours counts as fixed times, seconds do not change that', () => {
  assert.equal(nights('0 30 2,14 * * *', 'Europe/Paris', '2027-10-30', '2027-10-31').length, 2);
  assert.equal(nights('0 30 2,14 * * *', 'Europe/Paris', '2027-03-27', '2027-03-28').length, 2);
});

test('looked at again between the two 02:30 of one night, the second one is not a fire', () => {
  const times = new FireTimes('30 2 * * *', 'Europe/Paris');
  for (const moment of ['00:30:00.000', '00:45:00.000', '01:15:00.000', '01:30:00.000']) {
    assert.equal(times.next(new Date(`2027-10-31T${moment}Z`))?.toISOString(), '2027-11-01T01:30:00.000Z', moment);
  }
});

test('an expression with a step goes by the clock on the wall', () => {
  assert.equal(nights('*/30 2 * * *', 'Europe/Paris', '2027-03-27', '2027-03-28').length, 0);
  assert.equal(nights('*/30 2 * * *', 'Europe/Paris', '2027-10-30', '2027-10-31').length, 4);
});

test('notes say what the change of the clocks does, on those nights only', () => {
  const notes = (cron: string, after: string, count: number): string[] => {
    const times = new FireTimes(cron, 'Europe/Paris');
    const all = times.after(new Date(after));
    return Array.from({ length: count }, () => times.noteOn(all.next().value ?? new Date(0)));
  };
  const [before, gap, later] = notes('30 2 * * *', '2027-03-27T00:00:00Z', 3);
  assert.deepEqual([before, later], ['', '']);
  assert.match(gap ?? '', /clocks skip this time/);
  const [eve, twice, next] = notes('30 2 * * *', '2027-10-30T00:00:00Z', 3);
  assert.deepEqual([eve, next], ['', '']);
  assert.match(twice ?? '', /show this time twice/);
  assert.deepEqual(notes('*/30 2 * * *', '2027-10-30T12:00:00Z', 4), ['', '', '', '']);
});

test('what cannot be a schedule is refused with the field and the reason', () => {
  const refused = (cron: string, zone: string, field: string, message: RegExp): void => {
    assert.throws(
      () => new FireTimes(cron, zone),
      (error: { code?: string; field?: string; message?: string }) =>
        error.code === 'INVALID_ARGUMENT' && error.field === field && message.test(error.message ?? ''),
      `${cron} ${zone}`,
    );
  };
  refused('every night', 'UTC', 'cron', /not a cron expression/);
  refused('61 2 * * *', 'UTC', 'cron', /not a cron expression/);
  refused('0 0 2 * * * 2030', 'UTC', 'cron', /5 or 6/);
  refused('30 2 * * *', '', 'zone', /no time zone/);
  refused('30 2 * * *', 'Mars/Olympus', 'zone', /not a time zone/);
  refused('30 2 * * *', '+02:00', 'zone', /not a time zone/);
});

test('jitter is the same for the same schedule and time, differs between schedules, and never passes the next time', () => {
  const nominal = new Date('2027-01-01T02:30:00Z');
  const next = new Date('2027-01-01T02:30:10Z');
  assert.deepEqual(dueAt('a', nominal, undefined, 0), nominal);
  assert.deepEqual(dueAt('a', nominal, undefined, 600), dueAt('a', nominal, undefined, 600));
  const drawn = Array.from(
    { length: 200 },
    (_, index) => dueAt(`schedule ${index}`, nominal, undefined, 600).getTime() - nominal.getTime(),
  );
  assert.ok(drawn.every((ms) => ms >= 0 && ms < 600_000));
  assert.ok(Math.max(...drawn) - Math.min(...drawn) > 300_000);
  for (let index = 0; index < 200; index++) assert.ok(dueAt(`schedule ${index}`, nominal, next, 600) < next);
});
