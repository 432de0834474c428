// The trainer's virtual environment, from pinned requirements.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { collect, command } from './command.mjs';
import { fingerprint, root } from './stamps.mjs';
import { OWN_CHECKOUT, Problem, step } from './terminal.mjs';

export const trainerFolder = path.join(root, 'trainer-py');
const venv = path.join(trainerFolder, '.venv');
export const python = path.join(venv, 'bin/python');
const stamp = path.join(venv, 'stic-stamp.json');
const unfinished = path.join(venv, 'stic-installing');

const RUNTIME = ['trainer-py/requirements.txt'];
const TESTS = ['trainer-py/requirements.txt', 'trainer-py/requirements-dev.txt'];
const CANDIDATES = ['python3.11', 'python3.12', 'python3.13', 'python3', 'python'];

/** True when the environment lacks something that running (or, with `tests`, testing) needs. */
export function pythonStale({ tests }) {
  const found = readStamp();
  if (!existsSync(python) || existsSync(unfinished)) return true;
  return found.runtime !== fingerprint(RUNTIME) || (tests && found.tests !== fingerprint(TESTS));
}

export async function installPython({ tests }) {
  if (!existsSync(venv) || existsSync(unfinished)) await createEnvironment();
  else await checkEnvironment();
  writeFileSync(unfinished, '');
  try {
    const torch = /^torch==\S+/m.exec(readFileSync(path.join(root, RUNTIME[0]), 'utf8'))?.[0];
    // First and alone: whatever asks for torch later finds this one and fetches no other.
    if (torch) await step(`Python package ${torch}`, () => pip([torch], 'Installing PyTorch'), 'once; a large download');
    await step('Python packages of the trainer', () => pip(['-r', RUNTIME[0]], 'Installing the Python packages'), 'once');
    if (tests)
      await step('Python packages of the tests', () => pip(['-r', TESTS[1]], 'Installing the Python packages of the tests'), 'once');
  } finally {
    // Still there after a kill, gone after an ordinary error: pip installs nothing before it has everything.
    rmSync(unfinished, { force: true });
  }
  const keepsTests = tests || readStamp().tests === fingerprint(TESTS);
  writeFileSync(stamp, JSON.stringify({ runtime: fingerprint(RUNTIME), tests: keepsTests ? fingerprint(TESTS) : '' }));
}

/** An environment that is there stays, whatever is wrong with it: it may be someone else's, or hold more than ours. */
async function checkEnvironment() {
  checkOwner(venv);
  if (await works(python)) return;
  throw new Problem(
    `The Python environment ${venv} does not run: its Python is gone or damaged.`,
    `Delete ${venv} if you do not need it, and run the command again; it is then made anew.`,
  );
}

/** A Problem when the folder belongs to another user. */
export function checkOwner(folder) {
  const { uid } = statSync(folder);
  if (process.getuid === undefined || uid === process.getuid()) return;
  throw new Problem(`The Python environment ${folder} belongs to another user (${nameOf(uid)}) and is not changed.`, OWN_CHECKOUT);
}

function nameOf(uid) {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? `uid ${uid}`;
  } catch {
    return `uid ${uid}`;
  }
}

async function createEnvironment() {
  if (existsSync(venv)) checkOwner(venv);
  const base = await findPython();
  const check = await collect(base, ['-c', 'import venv, ensurepip']);
  if (check.code !== 0) {
    const version = (await collect(base, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).output.trim();
    throw new Problem(
      `${base} cannot make virtual environments: its venv or ensurepip module is missing.`,
      `On Debian or Ubuntu: apt-get install python3-venv (or python${version}-venv). Elsewhere install a complete Python, or set PYTHON to one.`,
    );
  }
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(venv, { recursive: true });
  // Before anything else: a half-made environment is known as ours.
  writeFileSync(unfinished, '');
  await step('Python environment', () => command(base, ['-m', 'venv', venv], { cwd: root, what: 'Making the Python environment' }));
}

/** The first Python 3.11 or newer; PYTHON, when set, is the only candidate. */
async function findPython() {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : CANDIDATES;
  const seen = [];
  for (const candidate of candidates) {
    const { code, output } = await collect(candidate, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
    if (code !== 0) continue;
    const [major, minor] = output.trim().split('.').map(Number);
    if (major === 3 && minor >= 11) return candidate;
    seen.push(`${candidate} is Python ${output.trim()}`);
  }
  throw new Problem(
    `Python 3.11 or newer is needed, and none was found${seen.length ? ` (${seen.join(', ')})` : process.env.PYTHON ? ` (PYTHON is ${process.env.PYTHON})` : ''}.`,
    'Install Python 3.11, 3.12 or 3.13 (on Debian or Ubuntu: apt-get install python3 python3-venv), or set PYTHON to one that is installed.',
  );
}

async function works(program) {
  return existsSync(program) && (await collect(program, ['-m', 'pip', '--version'])).code === 0;
}

function pip(args, what) {
  return command(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...args], { cwd: root, what });
}

function readStamp() {
  return existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
}
