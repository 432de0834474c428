import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DomainError } from '../errors.js';
import { codeOf, usableFolder } from '../path-faults.js';
import { isAlive, startOf } from './process-table.js';

/** The process that a state folder belongs to, and where it listens once it does. */
export type Owner = { pid: number; start: string; http_port?: number; grpc_port?: number };

/** A claim; `announce` says where the owner listens. */
export type Claim = { announce: (httpPort: number, grpcPort: number) => void; release: () => void };

/** Makes the state folder this process's own until `release`; a second server on it is refused in words. */
export function claimStateFolder(folder: string): Claim {
  usableFolder(folder, 'STIC_STATE');
  const file = fileOf(folder);
  const own: Owner = { pid: process.pid, start: startOf(process.pid) };
  const draft = path.join(folder, `.server.${randomUUID()}`);
  writeFileSync(draft, JSON.stringify(own));
  try {
    for (;;) {
      try {
        // Linking is atomic and fails when the name exists, so one of many wins.
        linkSync(draft, file);
        return { announce: (http_port, grpc_port) => replace(file, { ...own, http_port, grpc_port }), release: () => release(file, own) };
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const owner = ownerOf(folder);
      if (owner) throw occupied(folder, owner.pid);
      discard(file, read(file));
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The living server of the state folder. */
export function ownerOf(folder: string): Owner | undefined {
  const owner = read(fileOf(folder));
  return owner && isAlive(owner.pid) && startOf(owner.pid) === owner.start ? owner : undefined;
}

const fileOf = (folder: string): string => path.join(folder, 'server.json');

function replace(file: string, owner: Owner): void {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(owner));
  renameSync(draft, file);
}

/** Removes what a dead server left, unless another one has claimed the folder in the meantime. */
function discard(file: string, stale: Owner | undefined): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
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
