/** SQL about metric points that several features share. */

/** Steps of a series that share a row of metric_rollup: 2 to the power of this. */
export const rollupBits = 5;

/**
 * Holds for a metric_point, joined with its `attempt`, that is not of the visible series: a later attempt of the stage has reached the
 * same step. The visible series has one point per name and step, of the last attempt that reached the step. `newest`: attempts after
 * this number do not count.
 */
export function superseded({ newest }: { newest?: string } = {}): string {
  return `EXISTS (
    SELECT 1 FROM metric_point later JOIN attempt newer ON newer.id = later.attempt_id
    WHERE later.run_id = metric_point.run_id AND newer.number > 1 AND newer.stage_id = attempt.stage_id
      AND newer.number > attempt.number ${newest === undefined ? '' : `AND newer.number <= ${newest}`}
      AND later.name = metric_point.name AND later.step = metric_point.step)`;
}

/** Stores the points that `points` selects (attempt_id, run_id, seq, name, step, value), each once, and keeps the rollups. */
export const storePoints = (points: string): string => `
  WITH stored AS (
    INSERT INTO metric_point (attempt_id, run_id, seq, name, step, value) ${points}
    ON CONFLICT (attempt_id, seq) DO NOTHING
    RETURNING attempt_id, name, step, value)
  INSERT INTO metric_rollup (attempt_id, name, bucket, points, first_step, first_value, min_step, min_value, max_step, max_value,
    last_step, last_value)
  SELECT attempt_id, name, step >> ${rollupBits}, count(*), min(step), (min(ARRAY[step, value]))[2], (min(ARRAY[value, step]))[2],
    min(value), (max(ARRAY[value, step]))[2], max(value), max(step), (max(ARRAY[step, value]))[2]
  FROM stored GROUP BY attempt_id, name, step >> ${rollupBits}
  ON CONFLICT (attempt_id, name, bucket) DO UPDATE SET
    points = metric_rollup.points + excluded.points,
    first_step = least(metric_rollup.first_step, excluded.first_step),
    first_value = CASE WHEN excluded.first_step < metric_rollup.first_step THEN excluded.first_value ELSE metric_rollup.first_value END,
    min_step = CASE WHEN excluded.min_value < metric_rollup.min_value THEN excluded.min_step ELSE metric_rollup.min_step END,
    min_value = least(metric_rollup.min_value, excluded.min_value),
    max_step = CASE WHEN excluded.max_value > metric_rollup.max_value THEN excluded.max_step ELSE metric_rollup.max_step END,
    max_value = greatest(metric_rollup.max_value, excluded.max_value),
    last_step = greatest(metric_rollup.last_step, excluded.last_step),
    last_value = CASE WHEN excluded.last_step >= metric_rollup.last_step THEN excluded.last_value ELSE metric_rollup.last_value END`;
