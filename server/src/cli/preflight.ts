import type { Preflight } from '@stic/api/gen/stic/runs/v1/runs.js';
import { clock } from './terminal.js';

const gigabytes = (bytes: bigint): string => `${(Number(bytes) / 1e9).toFixed(1)} GB`;
const most = (values: readonly bigint[]): bigint => values.reduce((best, value) => (value > best ? value : best), 0n);

/** What the server knows of the run before it starts, a few lines. */
export function preflightLines({ refused, estimate, unavailable, seconds }: Preflight): string[] {
  const lines = refused
    .filter((input) => input.refused > 0)
    .map(
      ({ role, refused: count, items, share, allowed }) =>
        `${role}: ${count} of ${items + count} refused (${(share * 100).toFixed(1)} %, allowed ${(allowed * 100).toFixed(1)} %)`,
    );
  if (estimate) {
    const tokens = estimate.inputs.find(({ imageTokens }) => imageTokens)?.imageTokens;
    if (tokens) lines.push(`an image is ${tokens.min === tokens.max ? tokens.max : `${tokens.min} to ${tokens.max}`} tokens`);
    const lost = estimate.stages.reduce((sum, stage) => sum + stage.alwaysTooLong, 0);
    const perhaps = estimate.stages.reduce((sum, stage) => sum + stage.possiblyTooLong, 0) - lost;
    lines.push(
      lost + perhaps === 0
        ? 'no row is too long'
        : `rows too long: ${lost} in any case, ${perhaps} more if every generated text has its longest length`,
    );
    lines.push(`memory: up to ${gigabytes(most(estimate.stages.map((stage) => stage.memoryBytes)))} of ${gigabytes(estimate.memoryBytes)}`);
    lines.push(`time: ${seconds < 0 ? 'not known before a first run with this model' : `about ${clock(seconds)}, by earlier runs`}`);
  } else {
    lines.push(`no estimate: ${unavailable}`);
  }
  return lines;
}
