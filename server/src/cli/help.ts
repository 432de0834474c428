import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../platform/config/repository.js';

/** The text of `npm run VERB -- --help`: files, because scripts/run.mjs prints them before anything is compiled. */
export const helpOf = (verb: 'start' | 'demo' | 'stic' | 'chaos'): string =>
  readFileSync(path.join(repositoryRoot(), 'scripts/help', `${verb}.txt`), 'utf8').trimEnd();
