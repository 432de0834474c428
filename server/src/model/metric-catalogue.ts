import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../platform/config/repository.js';

/** A metric of training as the trainer states it (trainer-py/stic_trainer/method/metrics.py). */
export interface Metric {
  readonly name: string;
  readonly stage: string;
  readonly unit: string;
  readonly meaning: string;
  /** Which way training should move it; empty where neither is better. */
  readonly better: 'higher' | 'lower' | '';
}

/** The metrics of training, stage by stage, most telling first, from recipes/generated/metrics.json. */
export function readMetrics(): readonly Metric[] {
  const file = path.join(repositoryRoot(), 'recipes', 'generated', 'metrics.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Metric[];
}
