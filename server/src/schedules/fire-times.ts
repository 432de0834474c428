import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import { invalid, messageOf } from '../platform/errors.js';
import { shown } from '../platform/printable.js';

/**
 * The times of a cron expression in a time zone. Where hour and minute are numbers or lists of them, a time that the clocks skip
 * comes at the first moment after the gap, and one that they repeat comes once; with * or a step in them, the expression goes by
 * the clock on the wall.
 */
export class FireTimes {
  private readonly cron: Cron;

  /** INVALID_ARGUMENT for a zone that does not exist, and for an expression that cannot be read or never comes true. */
  constructor(
    expression: string,
    private readonly zone: string,
  ) {
    checkZone(zone);
    try {
      this.cron = new Cron(expression.trim(), { timezone: zone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
    } catch (error) {
      throw invalid(
        'cron',
        `"${shown(expression)}" is not a cron expression: ${shown(messageOf(error).replace(/^CronPattern: /, ''))}`,
        'Give five fields (minute hour day month weekday), or six with the second first: 30 2 * * * is every night at 02:30.',
      );
    }
  }

  /** The first time after the moment; undefined when there is none any more. */
  next(after: Date): Date | undefined {
    return this.cron.nextRun(after) ?? undefined;
  }

  /** The times after the moment, without end. */
  *after(moment: Date): Generator<Date, void, undefined> {
    for (let time = this.next(moment); time; time = this.next(time)) yield time;
  }

  /** What the clocks' change does to the time; empty on other days. */
  noteOn(time: Date): string {
    if (!this.cron.match(time)) return 'The clocks skip this time: it fires at the first moment after the gap.';
    const repeated = this.repetitionOf(time);
    const firesAgain = repeated && this.next(new Date(repeated.getTime() - 1_000))?.getTime() === repeated.getTime();
    if (repeated === undefined || firesAgain) return '';
    return 'The clocks show this time twice: it fires once, the first time.';
  }

  /** The time on the zone's clocks, as ISO 8601. */
  local(time: Date): string {
    return localTime(time, this.zone);
  }

  /** The later moment at which the zone's clocks show the same time again. */
  private repetitionOf(time: Date): Date | undefined {
    const setBack = offsetMs(time, this.zone) - offsetMs(new Date(time.getTime() + 6 * 3_600_000), this.zone);
    const later = new Date(time.getTime() + setBack);
    return setBack > 0 && this.local(later).slice(0, 19) === this.local(time).slice(0, 19) ? later : undefined;
  }
}

/**
 * The nominal time put off by less than `jitterSeconds`, and by less than the time to the next one, so that times keep their order.
 * The same on every server and at every look.
 */
export function dueAt(scheduleId: string, nominal: Date, next: Date | undefined, jitterSeconds: number): Date {
  const room = Math.min(jitterSeconds * 1_000, (next?.getTime() ?? Infinity) - nominal.getTime());
  const drawn = createHash('sha256').update(`${scheduleId}/${nominal.toISOString()}`).digest().readUInt32BE() / 2 ** 32;
  return new Date(nominal.getTime() + Math.floor(drawn * room));
}

/** YYYY-MM-DDTHH:MM:SS+HH:MM on the clocks of the zone. */
export function localTime(time: Date, zone: string): string {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const [year, month, day, hour, minute, second] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (part) => parts.get(part) ?? '',
  );
  const offset = (parts.get('timeZoneName') ?? '').replace('GMT', '') || '+00:00';
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`;
}

/** By how much the zone's clocks are ahead of UTC. */
function offsetMs(time: Date, zone: string): number {
  return Date.parse(`${localTime(time, zone).slice(0, 19)}Z`) - Math.floor(time.getTime() / 1_000) * 1_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const digits = { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    ...digits,
    timeZoneName: 'longOffset',
  });
  formats.set(zone, format);
  return format;
}

function checkZone(zone: string): void {
  const hint = 'Give an IANA name such as Europe/Paris, America/New_York or UTC.';
  if (zone.trim() === '') throw invalid('zone', 'The schedule has no time zone.', hint);
  try {
    if (/^[A-Za-z]/.test(zone)) formatOf(zone);
    else throw new RangeError();
  } catch {
    throw invalid('zone', `"${shown(zone)}" is not a time zone.`, hint);
  }
}
