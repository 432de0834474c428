import { DomainError, messageOf } from '../errors.js';

type Fault = { matches: RegExp; message: string; hint: string };

const EMBEDDED = 'or unset DATABASE_URL to use the embedded database';

/** Refusals of Postgres at the start, by SQLSTATE or, where there is none, by what node-postgres says. The first that matches counts. */
const FAULTS: readonly Fault[] = [
  { matches: /^28P01|^28000/, message: 'refused the login', hint: `Correct user and password in DATABASE_URL, ${EMBEDDED}.` },
  { matches: /^3D000/, message: 'has no such database', hint: `Create it (createdb), or correct the name in DATABASE_URL, ${EMBEDDED}.` },
  { matches: /does not support SSL/, message: 'does not support SSL', hint: 'Take sslmode out of DATABASE_URL, or set sslmode=disable.' },
  {
    matches: /no encryption|self.signed certificate|certificate/i,
    message: 'and this server do not agree on encryption',
    hint: 'Set sslmode in DATABASE_URL to what the database demands (require, verify-full or disable).',
  },
  {
    matches: /^42501/,
    message: 'does not let this role create tables',
    hint: 'As the owner of the database: GRANT CREATE ON SCHEMA public TO the role in DATABASE_URL (Postgres 15 and newer do not grant it by default).',
  },
  {
    matches: /^25006/,
    message: 'is read-only',
    hint: 'Point DATABASE_URL at the primary, or turn default_transaction_read_only off.',
  },
  { matches: /^53300/, message: 'has no free connection', hint: 'Raise its max_connections, or end other programs that use it.' },
  { matches: /^53100/, message: 'has no disk space left', hint: 'Free disk space on the database server.' },
  { matches: /^57P03/, message: 'is still starting or shutting down', hint: 'Start this server again once the database is ready.' },
];

/** An error of connecting or migrating as a sentence with the hint that fits it. `address` holds no password. */
export function databaseFault(cause: unknown, address: string): DomainError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const text = messageOf(cause);
  const fault = FAULTS.find(({ matches }) => matches.test(`${code} ${text}`) || matches.test(text));
  if (fault) {
    const { message, hint } = fault;
    return new DomainError('FAILED_PRECONDITION', `Postgres at ${address} ${message}: ${text}`, { hint, cause });
  }
  if (/^[0-9A-Z]{5}$/.test(code)) {
    const hint = 'Look up the SQLSTATE in the Postgres manual; the whole error is in logs/server.log of the state folder.';
    return new DomainError('FAILED_PRECONDITION', `Postgres at ${address} refused a statement of the start: ${text} (${code})`, {
      hint,
      cause,
    });
  }
  return new DomainError('UNAVAILABLE', `Cannot reach Postgres at ${address}: ${text}`, { hint: `Start it, ${EMBEDDED}.`, cause });
}
