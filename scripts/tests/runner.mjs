// The check of the runner: tests that must fail do, and say why.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { collect } from '../setup/command.mjs';
import { root } from '../setup/stamps.mjs';
import { readJestReport } from './reports.mjs';

const EXPECTED = {
  compares: /^Error: one is two\n\n.*Expected: 2\nReceived: 1/s,
  awaits: /^Error: it was accepted\n\n.*resolved instead of rejected/s,
  hangs: /its limit of 0\.1 seconds/,
  'fails late': /^Error: nobody catches this/,
};

export async function failuresAreSeen() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'jest-'));
  try {
    const report = path.join(folder, 'report.json');
    const args = ['node_modules/jest/bin/jest.js', '--selectProjects', 'runner', '--maxWorkers', '2', '--json', '--outputFile', report];
    const { code, output } = await collect(process.execPath, args, { cwd: root });
    const { passed, failures } = readJestReport(report);
    const texts = Object.fromEntries(failures.map(({ name, text }) => [name.split(' › ').at(-1), text]));
    const unseen = Object.entries(EXPECTED).filter(([name, text]) => !text.test(texts[name] ?? ''));
    const right = code === 1 && passed === 1 && failures.length === Object.keys(EXPECTED).length && unseen.length === 0;
    return { code: right ? 0 : 1, output: `not reported as they must be: ${unseen.map(([name]) => name).join(', ')}\n${output}` };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
