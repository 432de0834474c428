// Runs the tools that set things up and turns their usual failures into words.
import { spawn } from 'node:child_process';
import { Problem } from './terminal.mjs';

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|name resolution|Max retries exceeded|NewConnectionError|ReadTimeout/;
const NO_SPACE = /ENOSPC|No space left on device|Errno 28/;

/** Runs a command quietly and gives its output; a failure is a Problem that ends with the last lines it said. */
export async function command(program, args, { cwd, env, what }) {
  const { code, output } = await collect(program, args, { cwd, env });
  if (code === 0) return output;
  const tail = output.trim().split('\n').slice(-25).join('\n');
  const said = `${what} failed (${program} ended with ${code}):\n\n${tail}`;
  if (NO_SPACE.test(output))
    throw new Problem(said, 'Free some disk space (about 3 GB are needed) and run the command again; it goes on where it stopped.');
  if (NETWORK.test(output))
    throw new Problem(said, 'Check the network (and the proxy settings of npm and pip, if you use one), then run the command again.');
  throw new Problem(said, '');
}

/** Exit code and merged output of a command; a program that does not exist gives code 127. */
export function collect(program, args, { cwd, env } = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(program, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: String(error.message) }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output: Buffer.concat(chunks).toString() }));
  });
}
