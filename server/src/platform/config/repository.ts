import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder: compiled code may lie at any depth below it. */
export function repositoryRoot(from = fileURLToPath(import.meta.url)): string {
  for (let folder = path.dirname(from); ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
      if (manifest.name === 'stic-control-plane') return folder;
    }
    if (folder === path.dirname(folder)) throw new Error(`no stic-control-plane package.json above ${from}`);
  }
}
