import type { EntityManager } from 'typeorm';

export type Point = { readonly name: string; readonly step: number; readonly value: number };

/**
 * Keeps the last visible value of each metric of a run, which runs are searched by: of the highest step, and there of the newest
 * attempt. Called with every batch of points in the transaction that stores them; one statement with a row per name.
 */
export async function recordLastMetrics(
  manager: EntityManager,
  { runId, attempt }: { runId: string; attempt: number },
  points: readonly Point[],
): Promise<void> {
  const last = new Map<string, Point>();
  for (const point of points) {
    if (!Number.isNaN(point.value) && point.step >= (last.get(point.name)?.step ?? -Infinity)) last.set(point.name, point);
  }
  if (last.size === 0) return;
  // Sorted, so that two transactions never wait for each other's rows crosswise.
  const rows = [...last.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  await manager.query(
    `INSERT INTO run_metric (run_id, name, step, attempt, value)
     SELECT $1, name, step, $2, value FROM unnest($3::text[], $4::integer[], $5::double precision[]) AS point (name, step, value)
     ON CONFLICT (run_id, name) DO UPDATE SET step = excluded.step, attempt = excluded.attempt, value = excluded.value
     WHERE (excluded.step, excluded.attempt) >= (run_metric.step, run_metric.attempt)`,
    [runId, attempt, rows.map(({ name }) => name), rows.map(({ step }) => step), rows.map(({ value }) => value)],
  );
}
