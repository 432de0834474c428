// Fingerprints of sources and the stamps that say which fingerprint an artefact was built from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const setupFolder = path.join(root, '.setup');

/** sha256 over the names and contents of files and folders, given relative to the repository; absent ones count as empty. */
export function fingerprint(names) {
  const hash = createHash('sha256');
  for (const name of names) {
    for (const file of filesBelow(name))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(path.join(root, file)))
        .update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(name) {
  const full = path.join(root, name);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [name];
  return readdirSync(full, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules' && entry.name !== 'dist')
    .flatMap((entry) => filesBelow(path.join(name, entry.name)));
}

/** Builds an artefact when its sources have changed. The stamp goes first and comes last: interrupted is not built. */
export async function whenChanged({ name, sources, proof, force = false }, build) {
  const stamp = path.join(setupFolder, `${name}.stamp`);
  const wanted = fingerprint(sources);
  if (!force && existsSync(path.join(root, proof)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
  rmSync(stamp, { force: true });
  await build();
  mkdirSync(setupFolder, { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
