// Every process a test starts inherits TMPDIR, the runner's own folder; what still has it afterwards was left behind.
import { readFileSync, readdirSync } from 'node:fs';
import { collect } from '../setup/command.mjs';

/** Living processes, except this one, whose environment or command line names `folder`: pid and command line. */
export async function leftovers(folder) {
  if (process.platform !== 'linux') return leftoversByCommand(folder);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), command: read(name, 'cmdline'), environment: read(name, 'environ') }))
    .filter(({ command, environment }) => command.includes(folder) || environment.includes(folder))
    .map(({ pid, command }) => ({ pid, command: command.replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

async function leftoversByCommand(folder) {
  const { output } = await collect('ps', ['-axww', '-o', 'pid=,command=']);
  return output
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match && match[2].includes(folder) && Number(match[1]) !== process.pid)
    .map((match) => ({ pid: Number(match[1]), command: match[2] }));
}
