import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type DetachedOptions = {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** stdout and stderr are appended here. */
  log: string;
  uid?: number;
  gid?: number;
};

/**
 * Starts a program in a session of its own, writing to a file: neither Ctrl-C in our terminal nor our death reaches it.
 * The pid; an error when the program cannot be run at all.
 */
export async function startDetached(program: string, args: string[], options: DetachedOptions): Promise<number> {
  mkdirSync(path.dirname(options.log), { recursive: true });
  const log = openSync(options.log, 'a');
  try {
    const { cwd, env, uid, gid } = options;
    const child = spawn(program, args, { cwd, env, uid, gid, detached: true, stdio: ['ignore', log, log] });
    await once(child, 'spawn');
    child.unref();
    if (child.pid === undefined) throw new Error(`${program} has no process id`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** The end of a log file, to show why a program did not start. */
export function lastLines(file: string, count = 10): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}
