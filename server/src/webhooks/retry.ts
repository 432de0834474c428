const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

/** Waits after the first, second, ... failed try: eight tries within a day and a half. */
const delaysMs = [5 * seconds, 5 * minutes, 30 * minutes, 2 * hours, 5 * hours, 10 * hours, 14 * hours];

/**
 * How long to wait after so many failed tries, up to a fifth more or less so that receivers are not asked by everyone at once;
 * undefined when the tries are used up. `random` is from 0 to 1.
 */
export function retryDelayMs(failures: number, random: number): number | undefined {
  const delay = delaysMs[failures - 1];
  return delay === undefined ? undefined : Math.round(delay * (0.8 + 0.4 * random));
}
