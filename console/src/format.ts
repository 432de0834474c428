const integer = new Intl.NumberFormat('en-US');
const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** 12345 -> 12,345. */
export const count = (value: number): string => integer.format(value);

/** 1 image, 2 images. */
export const counted = (value: number, singular: string, plural = `${singular}s`): string =>
  `${count(value)} ${value === 1 ? singular : plural}`;

/** Bytes in the unit that gives one to three digits before the point. */
export function bytes(value: bigint | number): string {
  let amount = Number(value);
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (amount < 1000) return `${unit === 'B' || amount >= 100 ? amount.toFixed(0) : amount.toFixed(1)} ${unit}`;
    amount /= 1000;
  }
  return `${amount.toFixed(1)} TB`;
}

/** Seconds as 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${String(whole)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${String(minutes)} min ${String(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${String(hours)} h ${String(minutes % 60)} min`;
  return `${String(Math.floor(hours / 24))} d ${String(hours % 24)} h`;
}

/** Seconds between two moments; until now without an end. */
export function elapsed(start: Date | undefined, end: Date | undefined): string {
  return start ? duration(((end ?? new Date()).getTime() - start.getTime()) / 1000) : '';
}

export const moment = (date: Date | undefined): string => (date ? dateTime.format(date) : '');

/** Time of day with seconds, for log lines. */
export const clock = (date: Date | undefined): string => date?.toTimeString().slice(0, 8) ?? '';

/** just now, 5 min ago, 3 h ago, then the date. */
export function ago(date: Date | undefined): string {
  if (!date) return '';
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${String(Math.floor(seconds / 3600))} h ago`;
  return moment(date).slice(0, -3);
}

/** 0.4567 -> 46 %. */
export const percent = (share: number): string => `${String(Math.round(share * 100))} %`;

/** A number with its sign: +3.1, −0.4, 0.0. */
export function signed(value: number, digits = 1): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value > 0 ? '+' : '\u2212'}${text}`;
}

/** A number short enough for an axis or a cell, without losing its size. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e6) return value.toExponential(1);
  if (size >= 1000) return integer.format(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
