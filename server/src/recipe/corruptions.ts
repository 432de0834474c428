import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../platform/config/repository.js';

/** A registered corruption as the trainer describes it. */
export interface Corruption {
  readonly version: number;
  readonly parameters: Readonly<Record<string, { readonly least: number; readonly most: number; readonly whole: boolean }>>;
}

/** The corruptions by name, from recipes/corruptions/registry.json. */
export function readCorruptions(): Readonly<Record<string, Corruption>> {
  const file = path.join(repositoryRoot(), 'recipes', 'corruptions', 'registry.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Corruption>;
}
