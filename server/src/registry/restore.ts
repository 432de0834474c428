import { MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';

/** What a roll-back needs to know of a move. */
export type Step = { readonly number: number; readonly kind: MoveKind; readonly from: string | null };

/**
 * The move that a roll-back takes back: the last one that has not been taken back yet, so that rolling back again goes further back
 * instead of to and fro. Undefined when there is none. `steps` in order; pure.
 */
export function moveToUndo(steps: readonly Step[]): Step | undefined {
  const standing: Step[] = [];
  for (const step of steps) {
    if (step.kind === MoveKind.MOVE_KIND_ROLLED_BACK) standing.pop();
    else standing.push(step);
  }
  return standing.at(-1);
}
