// Makes the checkout ready to run: node modules, Python environment, compiled server, built console. Needs nothing but Node,
// does only what has changed, and goes on where it was interrupted.
//   node scripts/setup.mjs           what running needs
//   node scripts/setup.mjs --tests   and what testing needs
//   node scripts/setup.mjs --build   compiles server and console even when nothing changed
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from './setup/command.mjs';
import { withLock } from './setup/lock.mjs';
import { checkNode, installNodeModules, nodeModulesStale } from './setup/node-modules.mjs';
import { options } from './setup/options.mjs';
import { installPython, pythonStale } from './setup/python.mjs';
import { root, whenChanged } from './setup/stamps.mjs';
import { Problem, printProblem, step } from './setup/terminal.mjs';

const SERVER_SOURCES = [
  'api/src',
  'api/package.json',
  'api/tsconfig.json',
  'server/src',
  'console/src',
  'migrations',
  'test',
  'tsconfig.json',
  'server/package.json',
  'package-lock.json',
];
const CONSOLE_SOURCES = ['api/src', 'console', 'package-lock.json'];
const BYTES_NEEDED = 3e9;

/** Sets up for running, or with `tests` for testing. Throws a Problem when something is missing. */
export async function setup({ tests = false, build = false } = {}) {
  checkNode();
  await withLock(async () => {
    if (nodeModulesStale()) {
      checkSpace();
      await installNodeModules();
    }
    if (pythonStale({ tests })) {
      checkSpace();
      await installPython({ tests });
    }
    await buildServer(build);
    await buildConsole(build);
  });
}

function buildServer(force) {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  return whenChanged({ name: 'server', sources: SERVER_SOURCES, proof: 'dist/server/src/main.js', force }, () =>
    step('server', async () => {
      // A compiled file whose source is gone must not go on being run as a test.
      for (const folder of ['dist', 'api/dist']) fs.rmSync(path.join(root, folder), { recursive: true, force: true });
      fs.rmSync(path.join(root, 'api/tsconfig.tsbuildinfo'), { force: true });
      await command(process.execPath, [tsc, '-b', root], { cwd: root, what: 'Compiling the server' });
    }),
  );
}

function buildConsole(force) {
  const vite = path.join(root, 'node_modules/vite/bin/vite.js');
  return whenChanged({ name: 'console', sources: CONSOLE_SOURCES, proof: 'console/dist/index.html', force }, () =>
    step('console', () =>
      command(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: path.join(root, 'console'), what: 'Building the console' }),
    ),
  );
}

function checkSpace() {
  const { bavail, bsize } = fs.statfsSync(root);
  const free = bavail * bsize;
  if (free >= BYTES_NEEDED) return;
  throw new Problem(
    `Only ${(free / 1e9).toFixed(1)} GB are free below ${root}; node modules, PyTorch and the database need about ${BYTES_NEEDED / 1e9} GB.`,
    'Free some disk space, or move the checkout to a larger disk, and run the command again.',
  );
}

if (fs.existsSync(process.argv[1] ?? '') && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const start = Date.now();
  try {
    await setup(options('setup', process.argv.slice(2), { tests: { type: 'boolean' }, build: { type: 'boolean' } }));
    console.log(`Ready (${((Date.now() - start) / 1000).toFixed(1)} s).`);
  } catch (error) {
    printProblem(error);
    process.exitCode = 1;
  }
}
