import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { monotonicMs, pause } from '../timing.js';

const LINUX = process.platform === 'linux';

/** Whether the process runs. A zombie does not: in a container nobody may ever reap it. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Someone else's process is alive all the same.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return !LINUX || stateOf(pid) !== 'Z';
}

function stateOf(pid: number): string | undefined {
  // The command name in parentheses may hold anything, hence the last one.
  return fieldsOf(pid)?.[0];
}

function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Something that differs between two processes that had the same pid one after the other; empty when there is none. */
export function startOf(pid: number): string {
  if (LINUX) return fieldsOf(pid)?.[19] ?? '';
  return ps(pid, 'lstart');
}

/** The command line, arguments separated by spaces; empty when there is no such process. */
export function commandOf(pid: number): string {
  if (!LINUX) return ps(pid, 'command');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function ps(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** Living processes that work in the folder; none where the system does not tell. */
export function processesIn(folder: string): number[] {
  if (!LINUX) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => workingFolder(pid) === folder && isAlive(pid));
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** True when the process has ended within the time. */
export async function hasEnded(pid: number, withinMs: number): Promise<boolean> {
  const deadline = monotonicMs() + withinMs;
  while (isAlive(pid)) {
    if (monotonicMs() >= deadline) return false;
    await pause(20);
  }
  return true;
}

/** Asks the process to end, and makes it end when it has not after the grace time. */
export async function endProcess(pid: number, ask: NodeJS.Signals, force: NodeJS.Signals, graceMs: number): Promise<void> {
  send(pid, ask);
  if (await hasEnded(pid, graceMs)) return;
  send(pid, force);
  await hasEnded(pid, 5_000);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
