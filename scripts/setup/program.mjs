// A compiled program of the product as a child of the script that a person has started.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './stamps.mjs';

// Ctrl-C reaches this process once from the terminal and once from npm; whatever comes this soon after is the same key.
const SAME_SIGNAL_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs the program in a process group of its own, so that this process alone decides which signals reach it, and how often. Gives its
 * exit code.
 */
export async function runProgram(program, args) {
  const child = spawn(process.execPath, ['--enable-source-maps', path.join(root, program), ...args], { stdio: 'inherit', detached: true });
  let last = 0;
  const forward = (signal) => {
    if (Date.now() - last > SAME_SIGNAL_MS) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    last = Date.now();
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  const code = await new Promise((resolve) => child.on('exit', (exit, signal) => resolve(exit ?? (signal ? 128 : 1))));
  for (const signal of SIGNALS) process.off(signal, forward);
  return code;
}
