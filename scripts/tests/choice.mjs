// `npm test -- SOURCE` and `npm test -- NAME`: the files of tests that are meant, by tier.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/stamps.mjs';
import { Problem } from '../setup/terminal.mjs';

const TIERS = [
  { tier: 'unit', folder: 'dist/server/src', ending: '.spec.js' },
  ...['integration', 'contract', 'durability', 'e2e', 'browser'].map((tier) => ({ tier, folder: `dist/test/${tier}`, ending: '.test.js' })),
];

/**
 * A path names a source file or a folder of them; anything else is a part of a test's name. Files that do not contain the
 * name are left out, because the runner would prepare each of them only to skip its tests.
 */
export function choose(wanted) {
  const isPath = existsSync(path.join(root, wanted));
  const place = path.join(root, 'dist', wanted.replace(/\.tsx?$/, '.js'));
  const chosen = (file) => (isPath ? file === place || file.startsWith(place + path.sep) : mentions(file, wanted));
  const choice = TIERS.map(({ tier, folder, ending }) => ({ tier, files: filesIn(folder, ending).filter(chosen) }));
  const found = choice.filter(({ files }) => files.length > 0);
  if (found.length > 0) return { pattern: isPath ? undefined : escaped(wanted), found };
  const todo = "Name a *.spec.ts or *.test.ts file, a folder of them, or a part of a test's name. Tests in Python: see CONTRIBUTING.md.";
  throw new Problem(isPath ? `${wanted} is no TypeScript test and contains none.` : `No test and no file is called "${wanted}".`, todo);
}

function filesIn(folder, ending) {
  const full = path.join(root, folder);
  const names = readdirSync(full, { recursive: true }).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => path.join(full, name));
}

function mentions(file, name) {
  return readFileSync(file, 'utf8').toLowerCase().includes(name.toLowerCase());
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
