import type { GateConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';

/** What a gate does, in a sentence. */
export function gateRule({ alias, maxDrop, minMeanGain, requireApproval }: GateConfig): string {
  return (
    `Promotes to ${alias || 'champion'} when no benchmark is worse by more than ${maxDrop.toFixed(1)} points beyond chance and the mean gain ` +
    `is at least ${minMeanGain.toFixed(1)}${requireApproval ? ', after approval' : ''}.`
  );
}
