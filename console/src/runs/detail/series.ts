import type { StoredMetric } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { MetricSeries } from '../../gen/stic/runs/v1/runs';

export interface Point {
  step: number;
  value: number;
}

/** A metric's points: the visible series, and what earlier attempts had said. */
export interface Series {
  current: Point[];
  /** By attempt id, in the order the attempts appeared. */
  earlier: Map<string, Point[]>;
}

/** Series by metric name, from those of all attempts in their order. */
export function seriesByName(all: MetricSeries[]): Map<string, Series> {
  const byName = new Map<string, Map<string, Point[]>>();
  for (const { name, attemptId, steps, values } of all) {
    const attempts = byName.get(name) ?? new Map<string, Point[]>();
    attempts.set(
      attemptId,
      steps.map((step, index) => ({ step, value: values[index] ?? NaN })),
    );
    byName.set(name, attempts);
  }
  return new Map([...byName].map(([name, attempts]) => [name, toSeries(attempts)]));
}

function toSeries(attempts: Map<string, Point[]>): Series {
  return {
    current: [...attempts.values()].reduce(continued, []),
    earlier: new Map([...attempts].slice(0, -1)),
  };
}

/**
 * What is seen once a later attempt has gone over some of the steps: the last attempt that reached a step. Attempts are downsampled each
 * for itself, so a later one hides all that lies between its first and its last step.
 */
function continued(seen: Point[], later: Point[]): Point[] {
  const first = later[0]?.step ?? Infinity;
  const last = later[later.length - 1]?.step ?? -Infinity;
  return [...seen.filter(({ step }) => step < first), ...later, ...seen.filter(({ step }) => step > last)];
}
