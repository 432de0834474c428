import { accessSync, constants, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { DomainError } from '../errors.js';

/** Whom Postgres runs as: undefined for ourselves; another user when we are root, which it refuses. */
export type Account = { uid: number; gid: number } | undefined;

const CANDIDATES = ['postgres', 'nobody'];

export function postgresAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => [line.split(':')[0], line.split(':')]),
  );
  for (const name of CANDIDATES) {
    const [, , uid, gid] = users.get(name) ?? [];
    if (uid !== undefined && gid !== undefined && Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new DomainError('FAILED_PRECONDITION', 'Postgres does not run as root and there is no user "postgres" or "nobody" to run it as.', {
    hint: 'Start the server as an ordinary user, or set DATABASE_URL.',
  });
}

/** Whether the account can go into the folder: every parent must let it through. */
export function canEnter(account: Account, folder: string): boolean {
  if (account === undefined) {
    try {
      accessSync(folder, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
  return canRun(account, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder]);
}

export function canRun(account: Account, program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { ...account, cwd: '/', stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
