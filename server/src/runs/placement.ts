import type { Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';
import { invalid } from '../platform/errors.js';
import { shown } from '../platform/printable.js';

const mostPriority = 1_000;
const mostGib = 1_000_000;
const labelKey = /^[a-z0-9][a-z0-9_.-]{0,62}$/i;

/** When and where a run may go, checked. */
export function checkedPlace(
  priority: number,
  requires: Requirements | undefined,
): { readonly priority: number; readonly requires: Requirements | null } {
  if (!Number.isInteger(priority) || Math.abs(priority) > mostPriority) {
    throw invalid('priority', `priority is ${priority}; it must be a whole number from ${-mostPriority} to ${mostPriority}.`);
  }
  const { labels, gpuMemoryGib } = requires ?? { labels: {}, gpuMemoryGib: 0 };
  if (!(gpuMemoryGib >= 0 && gpuMemoryGib <= mostGib)) {
    throw invalid('requires.gpu_memory_gib', `requires.gpu_memory_gib is ${gpuMemoryGib}; it must be from 0 (any) to ${mostGib}.`);
  }
  const odd = Object.keys(labels).find((key) => !labelKey.test(key));
  if (odd !== undefined) {
    throw invalid(
      'requires.labels',
      `"${shown(odd)}" cannot be a label's key.`,
      'Keys are letters, digits, ".", "_", "-", as in tag=a100.',
    );
  }
  const anyWillDo = Object.keys(labels).length === 0 && gpuMemoryGib === 0;
  return { priority, requires: anyWillDo ? null : { labels, gpuMemoryGib } };
}
