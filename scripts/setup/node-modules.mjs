// node_modules: installed when npm's own record of what it installed differs from package-lock.json.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { command } from './command.mjs';
import { root } from './stamps.mjs';
import { Problem, step } from './terminal.mjs';

const OLDEST = [20, 19];

/** Refuses a Node that is too old for the product. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new Problem(
    `This is Node ${process.versions.node}, and Node ${OLDEST.join('.')} or newer is needed.`,
    'Install a newer Node.js (any release from 20.19 on works) and run the command again.',
  );
}

/** True when something has to be installed. */
export function nodeModulesStale() {
  const record = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return true;
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).some(([place, entry]) => {
    if (!place.includes('node_modules/')) return false;
    const found = installed[place];
    if (!found) return entry.optional !== true || isForThisMachine(entry);
    return found.version !== entry.version || found.integrity !== entry.integrity || !existsSync(path.join(root, place));
  });
}

/** npm may only leave out optional packages of other platforms; one without a platform belongs to such a package. */
function isForThisMachine(entry) {
  if (!entry.os && !entry.cpu) return false;
  const allows = (list, value) => !list || list.includes(value);
  return (
    allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && (process.platform !== 'linux' || allows(entry.libc, libc()))
  );
}

function libc() {
  return existsSync(`/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`) ? 'musl' : 'glibc';
}

export async function installNodeModules() {
  await step(
    'node modules',
    () => command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root, what: 'Installing the node modules' }),
    'once; downloads packages',
  );
  if (nodeModulesStale()) {
    throw new Problem(
      'npm ended without an error, but some packages for this machine are missing (optional ones it could not download).',
      'Delete node_modules and run the command again; if it persists, the package registry in use lacks them.',
    );
  }
}
