const formats = new Map<string, Intl.DateTimeFormat>();

/** Zone of the reader's own clock. */
export const ownZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

function formatted(date: Date, zone: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
  formats.set(key, format);
  return format.format(date);
}

/** Sun 28 Mar 2027 */
export const dayIn = (date: Date, zone: string): string =>
  formatted(date, zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).replace(',', '');

export const hasSeconds = (date: Date): boolean => date.getTime() % 60_000 !== 0;

/** 02:30, with seconds only where there are some or where its neighbours have some. */
export function timeIn(date: Date, zone: string, withSeconds = hasSeconds(date)): string {
  const seconds: Intl.DateTimeFormatOptions = withSeconds ? { second: '2-digit' } : {};
  return formatted(date, zone, { hour: '2-digit', minute: '2-digit', ...seconds });
}

/** The time on the reader's clock, with its day where that is another than `day`. */
export function ownMoment(date: Date, day: string, withSeconds = hasSeconds(date)): string {
  const own = dayIn(date, ownZone);
  const time = timeIn(date, ownZone, withSeconds);
  return own === day ? time : `${own.replace(/ \d{4}$/, '')} ${time}`;
}

/** in 5 min, in 3 h, in 2 d. */
export function until(date: Date): string {
  const seconds = (date.getTime() - Date.now()) / 1000;
  if (seconds < 0) return 'now';
  if (seconds < 60) return `in ${String(Math.ceil(seconds))} s`;
  if (seconds < 3600) return `in ${String(Math.round(seconds / 60))} min`;
  if (seconds < 48 * 3600) return `in ${String(Math.round(seconds / 3600))} h`;
  return `in ${String(Math.round(seconds / 86_400))} d`;
}
