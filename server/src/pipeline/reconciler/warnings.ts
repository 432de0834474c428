import type { EntityManager } from 'typeorm';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { superseded } from '../../model/metrics.js';

/** Beta times how much likelier the chosen texts are than under the reference. */
export const chosenReward = 'rewards/chosen';

/** Fewer steps say nothing but what was in their batches. */
const leastWindow = 3;

type Point = { step: number; value: number };

/** What the series of a finished training stage should make people look at. */
export async function trainingWarnings(manager: EntityManager, kind: StageKind, attemptId: string): Promise<string[]> {
  if (kind !== StageKind.STAGE_KIND_DPO) return [];
  const series = await manager.query<Point[]>(
    `SELECT step, value FROM metric_point JOIN attempt ON attempt.id = attempt_id
     WHERE attempt.stage_id = (SELECT stage_id FROM attempt WHERE id = $1) AND name = $2 AND NOT ${superseded()}
     ORDER BY step`,
    [attemptId, chosenReward],
  );
  return chosenFell(series);
}

/** Looks at the last fifth of the steps: each pair is compared with its own reference, so batches need no comparison with each other. */
export function chosenFell(rewards: readonly Point[]): string[] {
  const window = Math.floor(rewards.length / 5);
  if (window < leastWindow) return [];
  const mean = rewards.slice(-window).reduce((sum, { value }) => sum + value, 0) / window;
  if (mean >= 0) return [];
  return [
    `DPO made the chosen descriptions less likely than the reference does: ${chosenReward} is ${mean.toPrecision(2)} in the mean of the ` +
      `last ${window} steps. The margin grew by making both sides unlikely. Raise dpo.chosen_weight or lower the learning rate.`,
  ];
}
