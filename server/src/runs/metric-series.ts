import type { DataSource } from 'typeorm';
import type { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { ListMetricsRequest, MetricSeries } from '@stic/api/gen/stic/runs/v1/runs.js';
import { rollupBits, superseded } from '../model/metrics.js';
import { groupBy } from '../platform/group-by.js';

type Request = Pick<ListMetricsRequest, 'runId' | 'names' | 'stages' | 'maxPoints' | 'allAttempts'>;

/** A series before its points are read. `owner` is the attempt it is from, with all attempts, else the stage. */
type Overview = {
  readonly owner: string;
  readonly kind: StageKind;
  readonly name: string;
  readonly rollups: number;
  readonly points: string;
};

/** Neighbouring points of a series: its extremes, and where it begins and ends. */
type Tile = {
  readonly owner: string;
  readonly name: string;
  readonly first_step: number;
  readonly first_value: number;
  readonly min_step: number;
  readonly min_value: number;
  readonly max_step: number;
  readonly max_value: number;
  readonly last_step: number;
  readonly last_value: number;
};

type Point = { readonly step: number; readonly value: number };

/**
 * The series of a run, each of at most `maxPoints` points: the extremes of buckets of equally many neighbours, the first point and the
 * last. A series that is much longer is read from its rollups instead of its points.
 */
export async function readSeries(db: DataSource, request: Request): Promise<MetricSeries[]> {
  const owner = request.allAttempts ? 'attempt.id' : 'stage.id';
  const series = await overview(db, request, owner);
  // Each tile gives two points, the ends two more.
  const tiles = Math.floor((request.maxPoints - 2) / 2);
  const fromRollups = series.filter(({ rollups }) => rollups >= tiles);
  const fromPoints = series.filter(({ rollups }) => rollups < tiles);
  const rows = [
    ...(await readTiles(db, request.runId, fromPoints, tiles, pointRows(request.allAttempts))),
    ...(await readTiles(db, request.runId, fromRollups, tiles, request.allAttempts ? rollupRows : visibleRollupRows)),
  ];
  const found = groupBy(rows, keyOf);
  return series.map((one) => {
    const points = toPoints(found.get(keyOf(one)) ?? []);
    return {
      name: one.name,
      stage: one.kind,
      attemptId: request.allAttempts ? one.owner : '',
      points: BigInt(one.points),
      steps: points.map(({ step }) => step),
      values: points.map(({ value }) => value),
    };
  });
}

const keyOf = ({ owner, name }: { owner: string; name: string }): string => `${owner} ${name}`;

/** What there is to read: from the rollups, whose rows are few. */
async function overview(db: DataSource, { runId, names, stages }: Request, owner: string): Promise<Overview[]> {
  return db.query<Overview[]>(
    `SELECT ${owner} AS owner, stage.kind, name, count(*)::integer AS rollups, sum(points)::text AS points
     FROM stage JOIN attempt ON attempt.stage_id = stage.id JOIN metric_rollup ON attempt_id = attempt.id
     WHERE stage.run_id = $1 AND (cardinality($2::text[]) = 0 OR name = ANY($2)) AND (cardinality($3::text[]) = 0 OR stage.kind = ANY($3))
     GROUP BY ${owner}, stage.kind, stage.position, name
     ORDER BY stage.position, name, min(attempt.number)`,
    [runId, names, stages],
  );
}

/** Rows of the chosen series ($2 owners, $3 names), either points as they are or ... */
const pointRows = (allAttempts: boolean): string => `
  SELECT owner, metric_point.name, step AS position, step AS first_step, value AS first_value, step AS min_step, value AS min_value,
    step AS max_step, value AS max_value, step AS last_step, value AS last_value
  FROM metric_point JOIN attempt ON attempt.id = attempt_id
    JOIN chosen ON chosen.owner = ${allAttempts ? 'attempt.id' : 'attempt.stage_id'} AND chosen.name = metric_point.name
  WHERE metric_point.run_id = $1 ${allAttempts ? '' : `AND NOT ${superseded()}`}`;

const rollupColumns = 'first_step, first_value, min_step, min_value, max_step, max_value, last_step, last_value';

/** ... rollups of one attempt, or ... */
const rollupRows = `
  SELECT owner, metric_rollup.name, bucket AS position, ${rollupColumns}
  FROM metric_rollup JOIN chosen ON chosen.owner = attempt_id AND chosen.name = metric_rollup.name
  WHERE $1::uuid IS NOT NULL`;

/** ... rollups of whichever attempt has the steps, with the points themselves where several attempts share a rollup's steps. */
const visibleRollupRows = `
  SELECT owner, name, first_step AS position, ${rollupColumns} FROM rolled WHERE tellers = 1
  UNION ALL
  SELECT rolled.owner, rolled.name, step, step, value, step, value, step, value, step, value
  FROM (SELECT DISTINCT owner, name, bucket FROM rolled WHERE tellers > 1) AS rolled
    JOIN attempt ON attempt.stage_id = rolled.owner
    JOIN metric_point ON attempt_id = attempt.id AND metric_point.name = rolled.name AND step >> ${rollupBits} = bucket
  WHERE metric_point.run_id = $1 AND NOT ${superseded()}`;

const rolled = `
  SELECT chosen.owner, metric_rollup.*, count(*) OVER (PARTITION BY chosen.owner, metric_rollup.name, bucket) AS tellers
  FROM chosen JOIN attempt ON attempt.stage_id = chosen.owner
    JOIN metric_rollup ON attempt_id = attempt.id AND metric_rollup.name = chosen.name`;

async function readTiles(db: DataSource, runId: string, series: readonly Overview[], tiles: number, rows: string): Promise<Tile[]> {
  if (series.length === 0) return [];
  return db.query<Tile[]>(
    `WITH chosen AS (SELECT * FROM unnest($2::uuid[], $3::text[]) AS chosen (owner, name)),
       rolled AS (${rolled}),
       tiled AS (SELECT *, ntile($4) OVER (PARTITION BY owner, name ORDER BY position) AS tile FROM (${rows}) AS source)
     SELECT owner, name, min(first_step) AS first_step, (array_agg(first_value ORDER BY position))[1] AS first_value,
       (array_agg(min_step ORDER BY min_value, position))[1] AS min_step, min(min_value) AS min_value,
       (array_agg(max_step ORDER BY max_value DESC, position))[1] AS max_step, max(max_value) AS max_value,
       max(last_step) AS last_step, (array_agg(last_value ORDER BY position DESC))[1] AS last_value
     FROM tiled GROUP BY owner, name, tile ORDER BY owner, name, tile`,
    [runId, series.map(({ owner }) => owner), series.map(({ name }) => name), tiles],
  );
}

/** The points that the tiles of a series keep, each step once and in order. Pure. */
export function toPoints(tiles: readonly Tile[]): Point[] {
  const [first] = tiles;
  const last = tiles.at(-1);
  if (!first || !last) return [];
  const kept = new Map<number, number>([[first.first_step, first.first_value]]);
  for (const tile of tiles) {
    const extremes: [number, number][] = [
      [tile.min_step, tile.min_value],
      [tile.max_step, tile.max_value],
    ];
    for (const [step, value] of extremes.sort(([a], [b]) => a - b)) kept.set(step, value);
  }
  kept.set(last.last_step, last.last_value);
  return [...kept].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step);
}
