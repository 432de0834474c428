import type { EntityManager } from 'typeorm';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { superseded } from '../../model/metrics.js';

/** Fewer steps than four times this say nothing but what was in the batches. */
const leastWindow = 3;

type Point = { step: number; value: number };

/** What the series of a finished training stage should make people look at. */
export async function trainingWarnings(manager: EntityManager, kind: StageKind, attemptId: string): Promise<string[]> {
  if (kind !== StageKind.STAGE_KIND_DPO) return [];
  const series = await manager.query<Point[]>(
    `SELECT step, value FROM metric_point JOIN attempt ON attempt.id = attempt_id
     WHERE attempt.stage_id = (SELECT stage_id FROM attempt WHERE id = $1) AND name = 'dpo/chosen_logp' AND NOT ${superseded()}
     ORDER BY step`,
    [attemptId],
  );
  return chosenFell(series);
}

/** Compares the mean of the first and of the last quarter of the steps; batches differ, so single steps say little. */
export function chosenFell(series: readonly Point[]): string[] {
  const window = Math.floor(series.length / 4);
  if (window < leastWindow) return [];
  const before = mean(series.slice(0, window));
  const after = mean(series.slice(-window));
  const drop = before - after;
  // A twentieth of the starting value is within what batches differ by.
  if (drop <= Math.abs(before) * 0.05) return [];
  return [
    `The log-probability of the chosen descriptions fell during DPO, from ${before.toFixed(1)} to ${after.toFixed(1)} per description: ` +
      'the margin grew by making both sides unlikely. A larger dpo.chosen_weight or a smaller learning rate holds it.',
  ];
}

const mean = (points: readonly Point[]): number => points.reduce((sum, point) => sum + point.value, 0) / points.length;
