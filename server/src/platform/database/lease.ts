/**
 * SQL that holds once a lease is nobody's: never taken, run out, or further ahead than any lease of this length can be, which is what
 * a clock that was set back leaves behind. Its holder may still be alive: a fence, not the time, keeps it from writing.
 *
 * It asks the clock of the moment: now() is when the transaction began, and a lease that another took since then would look too long.
 */
export function leaseIsOver(column: string, lengthMs: number): string {
  return `(${column} IS NULL OR ${column} NOT BETWEEN clock_timestamp() AND clock_timestamp() + ${lengthMs} * interval '1 millisecond')`;
}
