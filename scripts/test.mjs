// Runs every tier of tests, TypeScript and Python, and ends with one line: `N passed, N failed`.
//   node scripts/test.mjs                 everything
//   node scripts/test.mjs --tier NAME     one tier
//   node scripts/test.mjs PATH|NAME       the tests of a file or folder, or those whose names contain NAME
//   node scripts/test.mjs --list          the tiers' names
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { commandLine } from './setup/options.mjs';
import { printProblem, Problem } from './setup/terminal.mjs';
import { setup } from './setup.mjs';
import { choose } from './tests/choice.mjs';
import { leftovers } from './tests/leftovers.mjs';

const outcomes = [];
let stopped = false;
try {
  const { values, positionals } = commandLine('test', process.argv.slice(2), { tier: { type: 'string' }, list: { type: 'boolean' } });
  const { tier, list } = values;
  await setup({ tests: true });
  // These use what the set-up has just made.
  const { empty, endRunning, fail, sum, tiers } = await import('./tests/tiers.mjs');
  if (list) {
    for (const tier of tiers) console.log(tier.name);
  } else {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(signal, endRunning));
    const wanted = positionals.join(' ');
    await runTiers(wanted === '' ? chosenTiers(tiers, tier) : chosenTests(tiers, wanted), { empty, fail });
    report(sum(outcomes));
  }
} catch (error) {
  printProblem(error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}

function chosenTiers(tiers, wanted) {
  if (wanted === undefined) return tiers;
  const chosen = tiers.filter((tier) => tier.name === wanted);
  if (chosen.length === 0) throw new Problem(`There is no tier "${wanted}".`, `Use one of: ${tiers.map((tier) => tier.name).join(', ')}.`);
  return chosen;
}

/** The tiers that have the tests named on the command line, limited to these. */
function chosenTests(tiers, wanted) {
  const { pattern, found } = choose(wanted);
  return found.map(({ tier: name, files }) => {
    const tier = tiers.find((one) => one.name === name);
    return { name, run: (context) => tier.run({ ...context, files, pattern }) };
  });
}

async function runTiers(tiers, { empty, fail }) {
  // Short, because Unix sockets lie below it, and open to other users, because Postgres run by root becomes one.
  const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-'));
  chmodSync(folder, 0o755);
  const context = { folder, env: { ...process.env, TMPDIR: folder, REHEARSALS: folder, NODE_ENV: 'test' } };
  const processes = empty();
  for (const tier of tiers) {
    if (stopped) break;
    const start = Date.now();
    let outcome;
    try {
      outcome = await tier.run(context);
    } catch (error) {
      outcome = empty();
      fail(outcome, tier.name, error instanceof Problem ? `${error.message}\nhint: ${error.todo}` : String(error.stack));
    }
    outcomes.push(outcome);
    console.log(line(tier.name, outcome, Date.now() - start));
    for (const { pid, command } of await leftovers(folder)) {
      fail(processes, `${tier.name} left a process behind`, `${pid} ${command}`);
      process.kill(pid, 'SIGKILL');
    }
  }
  if (processes.failed === 0) processes.passed = 1;
  outcomes.push(processes);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function line(name, { passed, failed, skipped }, milliseconds) {
  const counts =
    passed + failed + skipped === 0 ? 'no tests' : `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
  return `${failed ? '✗' : '✓'} ${name.padEnd(12)} ${counts.padEnd(34)} ${(milliseconds / 1000).toFixed(1).padStart(6)} s`;
}

function report({ passed, failed, failures }) {
  for (const { name, text } of failures) console.log(`\n✗ ${name}\n${text.replace(/^/gm, '    ')}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0 || stopped) process.exitCode = 1;
}

/** Ctrl-C comes from the terminal and again from npm: the first ends what runs, and no further tier starts. */
function stop(signal, endRunning) {
  if (stopped) return;
  stopped = true;
  endRunning(signal);
}
