import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DomainError } from '../errors.js';
import { isAlive, startOf } from './process-table.js';

type Owner = { pid: number; start: string };

/** Makes the state folder this process's own until `release`; a second server on it is refused in words. */
export function claimStateFolder(folder: string): { release: () => void } {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'server.json');
  const own: Owner = { pid: process.pid, start: startOf(process.pid) };
  const draft = path.join(folder, `.server.${randomUUID()}`);
  writeFileSync(draft, JSON.stringify(own));
  try {
    for (;;) {
      try {
        // Linking is atomic and fails when the name exists, so one of many wins.
        linkSync(draft, file);
        return { release: () => release(file, own) };
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      const owner = read(file);
      if (owner && isAlive(owner.pid) && startOf(owner.pid) === owner.start) throw occupied(folder, owner.pid);
      discard(file, owner);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes what a dead server left, unless another one has claimed the folder in the meantime. */
function discard(file: string, stale: Owner | undefined): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = read(aside);
  if (moved && moved.pid !== stale?.pid && isAlive(moved.pid)) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function release(file: string, own: Owner): void {
  if (read(file)?.pid === own.pid) rmSync(file, { force: true });
}

function read(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

const occupied = (folder: string, pid: number): DomainError =>
  new DomainError('FAILED_PRECONDITION', `Another server (process ${pid}) already runs on the state folder ${folder}.`, {
    hint: 'Use that one, stop it, or set STIC_STATE to another folder.',
  });

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
