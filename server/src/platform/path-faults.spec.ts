import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DomainError } from './errors.js';
import { usableFolder } from './path-faults.js';
import { thrown } from '../../../test/support/expect.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'stic-paths-'));
afterAll(() => rmSync(base, { recursive: true }));

function refused(folder: string, message: RegExp): void {
  expect(thrown(() => usableFolder(folder, 'STIC_STATE'), DomainError)).toMatchObject({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/STIC_STATE/),
  });
}

test('a folder is made with its parents, and one that is there is used', () => {
  const folder = path.join(base, 'a/b/c');
  usableFolder(folder, 'STIC_STATE');
  usableFolder(folder, 'STIC_STATE');
  expect(statSync(folder).isDirectory()).toBe(true);
});

test('a file, a path through a file and a place where nothing can be made are refused in a sentence', () => {
  const file = path.join(base, 'file');
  writeFileSync(file, '');
  refused(file, /^STIC_STATE: the folder .*file cannot be used: it is a file, not a folder\.$/);
  refused(path.join(file, 'state'), /cannot be used: /);
  if (process.platform === 'linux') refused('/proc/none/state', /\/proc\/none\/state cannot be used: /);
});
