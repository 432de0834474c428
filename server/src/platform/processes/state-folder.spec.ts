import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DomainError } from '../errors.js';
import { claimStateFolder } from './state-folder.js';
import { thrown } from '../../../../test/support/expect.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'stic-claim-'));
afterAll(() => rmSync(base, { recursive: true }));

/** Claims in a process of its own, which holds the folder until its input ends. */
const CLAIMER = `
  const { claimStateFolder } = await import(${JSON.stringify(new URL('state-folder.js', import.meta.url).href)});
  try { claimStateFolder(process.argv[1]); console.log('won'); } catch (error) { console.log('refused'); }
  process.stdin.resume();
`;

test('a second server on the folder is refused with its process and what to do, until the first lets go', () => {
  const folder = path.join(base, 'one');
  const first = claimStateFolder(folder);
  const error = thrown(() => claimStateFolder(folder), DomainError);
  expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', hint: expect.stringMatching(/STIC_STATE/) });
  expect(error.message).toContain(`process ${process.pid}`);
  expect(error.message).toContain(folder);
  first.release();
  claimStateFolder(folder).release();
  expect(readdirSync(folder), 'nothing is left over').toStrictEqual([]);
});

test('of many servers that start at once, one wins', async () => {
  const folder = path.join(base, 'many');
  const claimers = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', CLAIMER, folder], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const answers = await Promise.all(claimers.map(async ({ stdout }) => String(((await once(stdout, 'data')) as [Buffer])[0]).trim()));
  for (const { stdin } of claimers) stdin.end();
  expect(answers.sort()).toStrictEqual(['refused', 'refused', 'refused', 'won']);
});

test('a claim of a process that is gone, or whose number another one has by now, does not count', () => {
  for (const owner of [
    JSON.stringify({ pid: 2 ** 22 + 1, start: '1' }),
    JSON.stringify({ pid: process.pid, start: 'another' }),
    '{"pid":',
  ]) {
    const folder = mkdtempSync(path.join(base, 'stale-'));
    writeFileSync(path.join(folder, 'server.json'), owner);
    claimStateFolder(folder).release();
  }
});

test('who has lost the folder does not release it for its new owner', () => {
  const folder = path.join(base, 'lost');
  const claim = claimStateFolder(folder);
  writeFileSync(path.join(folder, 'server.json'), JSON.stringify({ pid: 1, start: 'x' }));
  claim.release();
  expect(readdirSync(folder)).toStrictEqual(['server.json']);
});
