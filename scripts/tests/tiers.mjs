// The tiers of `npm test`, in the order they run.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { python } from '../setup/python.mjs';
import { root } from '../setup/stamps.mjs';
import { checks } from './checks.mjs';
import { findChromium } from './chromium.mjs';
import { readReport } from './reports.mjs';

const MINUTE = 60_000;

/** @typedef {{ passed: number, failed: number, skipped: number, failures: { name: string, text: string }[] }} Outcome */

export const tiers = [
  { name: 'checks', run: runChecks },
  { name: 'unit', run: runUnit },
  nodeTier('integration', { concurrency: 2, minutes: 16 }),
  nodeTier('contract', { concurrency: 1, minutes: 5 }),
  nodeTier('durability', { concurrency: 2, minutes: 16 }),
  nodeTier('e2e', { concurrency: 2, minutes: 12 }),
  nodeTier('browser', { concurrency: 1, minutes: 12, prepare: async () => ({ CHROMIUM: await findChromium() }) }),
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
  const files = ['dist/server/src', 'dist/console/src'].flatMap((folder) => testFiles(folder, '.spec.js'));
  const [node, pytest] = await Promise.all([nodeTests('unit', files, { concurrency: 1, minutes: 4 }, context), runPytest(context)]);
  return sum([node, pytest]);
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
  return judge('pytest', readReport(report), code, output, true);
}

/** A tier of compiled node:test files in test/<name>; absent as long as the folder has no tests. */
function nodeTier(name, options) {
  return {
    name,
    run: async (context) => {
      const files = testFiles(`dist/test/${name}`, '.test.js');
      const env = files.length > 0 && options.prepare ? { ...context.env, ...(await options.prepare()) } : context.env;
      return nodeTests(name, files, options, { ...context, env });
    },
  };
}

async function nodeTests(name, files, { concurrency, minutes }, { env, folder }) {
  if (files.length === 0) return empty();
  const report = path.join(folder, `${name}.xml`);
  const args = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-reporter=junit',
    `--test-reporter-destination=${report}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    ...files,
  ];
  const { code, output } = await run(process.execPath, args, env, minutes * MINUTE);
  return judge(name, readReport(report), code, output, files.length > 0);
}

/** A runner that fails without a failing test, or runs no test although there are some, is a failure of its own. */
function judge(name, outcome, code, output, hasFiles) {
  const ran = outcome.passed + outcome.failed + outcome.skipped;
  if (outcome.failed === 0 && (code !== 0 || (hasFiles && ran === 0))) {
    fail(
      outcome,
      `${name}: the test runner itself`,
      `It ended with ${code} after ${ran} tests.\n${output.trim().split('\n').slice(-60).join('\n')}`,
    );
  }
  return outcome;
}

function testFiles(folder, ending) {
  const full = path.join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => path.join(full, name));
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
