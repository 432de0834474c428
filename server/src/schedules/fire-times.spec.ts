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
  expect(nights('30 2 * * *', 'Europe/Paris', '2027-03-26', '2027-03-29')).toStrictEqual([
    '2027-03-27T02:30:00+01:00',
    '2027-03-28T03:00:00+02:00',
    '2027-03-29T02:30:00+02:00',
  ]);
  expect(nights('30 2 * * *', 'Europe/Paris', '2027-10-29', '2027-11-01')).toStrictEqual([
    '2027-10-30T02:30:00+02:00',
    '2027-10-31T02:30:00+02:00',
    '2027-11-01T02:30:00+01:00',
  ]);
});

test('once per night on both nights of daylight saving in New York', () => {
  expect(nights('30 2 * * *', 'America/New_York', '2027-03-12', '2027-03-15')).toStrictEqual([
    '2027-03-13T02:30:00-05:00',
    '2027-03-14T03:00:00-04:00',
    '2027-03-15T02:30:00-04:00',
  ]);
  expect(nights('30 1 * * *', 'America/New_York', '2027-11-05', '2027-11-08')).toStrictEqual([
    '2027-11-06T01:30:00-04:00',
    '2027-11-07T01:30:00-04:00',
    '2027-11-08T01:30:00-05:00',
  ]);
});

test('a list of hours counts as fixed times, seconds do not change that', () => {
  expect(nights('0 30 2,14 * * *', 'Europe/Paris', '2027-10-30', '2027-10-31')).toHaveLength(2);
  expect(nights('0 30 2,14 * * *', 'Europe/Paris', '2027-03-27', '2027-03-28')).toHaveLength(2);
});

test('looked at again between the two 02:30 of one night, the second one is not a fire', () => {
  const times = new FireTimes('30 2 * * *', 'Europe/Paris');
  for (const moment of ['00:30:00.000', '00:45:00.000', '01:15:00.000', '01:30:00.000']) {
    expect(times.next(new Date(`2027-10-31T${moment}Z`))?.toISOString(), moment).toBe('2027-11-01T01:30:00.000Z');
  }
});

test('an expression with a step goes by the clock on the wall', () => {
  expect(nights('*/30 2 * * *', 'Europe/Paris', '2027-03-27', '2027-03-28')).toHaveLength(0);
  expect(nights('*/30 2 * * *', 'Europe/Paris', '2027-10-30', '2027-10-31')).toHaveLength(4);
});

test('notes say what the change of the clocks does, on those nights only', () => {
  const notes = (cron: string, after: string, count: number): string[] => {
    const times = new FireTimes(cron, 'Europe/Paris');
    const all = times.after(new Date(after));
    return Array.from({ length: count }, () => times.noteOn(all.next().value ?? new Date(0)));
  };
  const [before, gap, later] = notes('30 2 * * *', '2027-03-27T00:00:00Z', 3);
  expect([before, later]).toStrictEqual(['', '']);
  expect(gap ?? '').toMatch(/clocks skip this time/);
  const [eve, twice, next] = notes('30 2 * * *', '2027-10-30T00:00:00Z', 3);
  expect([eve, next]).toStrictEqual(['', '']);
  expect(twice ?? '').toMatch(/show this time twice/);
  expect(notes('*/30 2 * * *', '2027-10-30T12:00:00Z', 4)).toStrictEqual(['', '', '', '']);
});

test('what cannot be a schedule is refused with the field and the reason', () => {
  const refused = (cron: string, zone: string, field: string, message: RegExp): void => {
    expect(() => new FireTimes(cron, zone), `${cron} ${zone}`).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', field, message: expect.stringMatching(message) }),
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
  expect(dueAt('a', nominal, undefined, 0)).toStrictEqual(nominal);
  expect(dueAt('a', nominal, undefined, 600)).toStrictEqual(dueAt('a', nominal, undefined, 600));
  const drawn = Array.from(
    { length: 200 },
    (_, index) => dueAt(`schedule ${index}`, nominal, undefined, 600).getTime() - nominal.getTime(),
  );
  expect(drawn.filter((ms) => !(ms >= 0 && ms < 600_000))).toStrictEqual([]);
  expect(Math.max(...drawn) - Math.min(...drawn)).toBeGreaterThan(300_000);
  for (let index = 0; index < 200; index++) expect(dueAt(`schedule ${index}`, nominal, next, 600) < next).toBe(true);
});
