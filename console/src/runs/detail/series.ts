import type { StoredMetric } from '@stic/api/gen/stic/runs/v1/runs.js';

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

/**
 * Series by metric name. After a resume two attempts may hold the same step: the last attempt that reached a step is shown, the others
 * stay viewable.
 */
export function seriesByName(metrics: StoredMetric[]): Map<string, Series> {
  const attempts = new Map<string, Map<string, Map<number, number>>>();
  for (const { attemptId, point } of metrics) {
    if (!point) continue;
    const byAttempt = attempts.get(point.name) ?? new Map<string, Map<number, number>>();
    const byStep = byAttempt.get(attemptId) ?? new Map<number, number>();
    byStep.set(point.step, point.value);
    byAttempt.set(attemptId, byStep);
    attempts.set(point.name, byAttempt);
  }
  return new Map([...attempts].map(([name, byAttempt]) => [name, toSeries(byAttempt)]));
}

function toSeries(byAttempt: Map<string, Map<number, number>>): Series {
  const current = new Map<number, number>();
  for (const byStep of byAttempt.values()) for (const [step, value] of byStep) current.set(step, value);
  const earlier = new Map([...byAttempt].slice(0, -1).map(([id, byStep]) => [id, toPoints(byStep)]));
  return { current: toPoints(current), earlier };
}

function toPoints(byStep: Map<number, number>): Point[] {
  return [...byStep].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step);
}

/** At most `limit` points: each is the mean of as many neighbouring steps as it takes. */
export function thin(points: Point[], limit = 400): Point[] {
  const size = Math.ceil(points.length / limit);
  if (size <= 1) return points;
  const thinned: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const bucket = points.slice(start, start + size);
    const value = bucket.reduce((sum, point) => sum + point.value, 0) / bucket.length;
    thinned.push({ step: bucket[bucket.length - 1]?.step ?? 0, value });
  }
  return thinned;
}
