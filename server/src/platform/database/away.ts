/** SQLSTATEs of a Postgres that is going, gone or coming: connection exceptions, too many connections, shutdown, crash, start-up. */
const codes = /^(08...|53300|57P0[123])$/;
const systemCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** What node-postgres says without a code when a connection is lost or none is to be had in time. */
const words = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Whether an error of a query means that the database cannot be reached at the moment, not that the query was wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('driverError' in error) return isDatabaseAway(error.driverError);
  const code = 'code' in error ? String(error.code) : '';
  return codes.test(code) || (systemCodes.has(code) && 'syscall' in error) || words.test(error.message);
}
