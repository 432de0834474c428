// The tiers of `npm test`, in the order they run.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { python } from '../setup/python.mjs';
import { root } from '../setup/stamps.mjs';
import { checks } from './checks.mjs';
import { findChromium } from './chromium.mjs';
import { readJestReport, readJUnitReport } from './reports.mjs';

const MINUTE = 60_000;

/** @typedef {{ passed: number, failed: number, skipped: number, failures: { name: string, text: string }[] }} Outcome */

const unit = { workers: 2, minutes: 4 };

export const tiers = [
  { name: 'checks', run: runChecks },
  { name: 'unit', run: runUnit },
  jestTier('integration', { workers: 2, minutes: 16 }),
  jestTier('contract', { workers: 1, minutes: 5 }),
  jestTier('durability', { workers: 2, minutes: 16 }),
  jestTier('e2e', { workers: 2, minutes: 12 }),
  jestTier('browser', { workers: 1, minutes: 12, prepare: async () => ({ CHROMIUM: await findChromium() }) }),
];

/** Two at a time: the slow ones are single-threaded, and two cores are what the product asks for. */
async function runChecks() {
  const outcome = empty();
  const queue = [...checks];
  const worker = async () => {
    for (let check = queue.shift(); check; check = queue.shift()) {
      const { code, output } = await check.run();
      if (code === 0) outcome.passed++;
      else fail(outcome, check.name, output.trim());
    }
  };
  await Promise.all([worker(), worker()]);
  return outcome;
}

async function runUnit(context) {
  if (context.files) return jestTests('unit', unit, context);
  const [jest, pytest] = await Promise.all([jestTests('unit', unit, context), runPytest(context)]);
  return sum([jest, pytest]);
}

async function runPytest({ env, folder }) {
  const report = path.join(folder, 'pytest.xml');
  const { code, output } = await run(
    python,
    // Two processes: many tests wait for programs that they have started.
    ['-m', 'pytest', 'trainer-py', '-q', '-p', 'no:cacheprovider', '-n', '2', '--dist', 'loadfile', `--junitxml=${report}`],
    env,
    14 * MINUTE,
  );
  return judge('pytest', readJUnitReport(report), code, output);
}

/** A tier of compiled files, run by the project of the same name in jest.config.mjs. */
function jestTier(name, options) {
  return { name, run: (context) => jestTests(name, options, context) };
}

/** Runs the tests of a tier, or only some of its files, or in these the tests whose names match a pattern. */
async function jestTests(name, { workers, minutes, prepare }, { env, folder, files = [], pattern }) {
  const report = path.join(folder, `${name}.json`);
  const args = ['--enable-source-maps', path.join(root, 'node_modules/jest/bin/jest.js'), '--selectProjects', name];
  args.push('--maxWorkers', String(workers), '--json', '--outputFile', report);
  if (pattern) args.push('--testNamePattern', pattern);
  if (files.length > 0) args.push('--runTestsByPath', ...files);
  const { code, output } = await run(process.execPath, args, { ...env, ...(await prepare?.()) }, minutes * MINUTE);
  return judge(name, readJestReport(report), code, output);
}

/** A runner that fails without a failing test, or runs no test at all, is a failure of its own. */
function judge(name, outcome, code, output) {
  const ran = outcome.passed + outcome.failed + outcome.skipped;
  if (outcome.failed === 0 && (code !== 0 || ran === 0)) {
    fail(
      outcome,
      `${name}: the test runner itself`,
      `It ended with ${code} after ${ran} tests.\n${output.trim().split('\n').slice(-60).join('\n')}`,
    );
  }
  return outcome;
}

/** Runs a test program in its own process group, so that a time limit ends all of it. */
function run(program, args, env, limit) {
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const timer = setTimeout(() => {
      chunks.push(Buffer.from(`\nStopped: it ran longer than ${limit / MINUTE} minutes.\n`));
      endGroup(child.pid, 'SIGKILL');
    }, limit);
    running.add(child.pid);
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      running.delete(child.pid);
      resolve({ code: code ?? signal, output: Buffer.concat(chunks).toString() });
    });
  });
}

const running = new Set();

/** Passes a signal on to the test programs that run now. */
export function endRunning(signal) {
  for (const pid of running) endGroup(pid, signal);
}

function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

export function empty() {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

export function fail(outcome, name, text) {
  outcome.failed++;
  outcome.failures.push({ name, text });
}

export function sum(outcomes) {
  return outcomes.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
      failures: [...all.failures, ...one.failures],
    }),
    empty(),
  );
}
