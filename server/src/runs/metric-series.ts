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
  /** Attempts that have reported it. */
  readonly attempts: number;
  readonly from_step: number;
  readonly to_step: number;
};

/** Neighbouring points of a series: its ends as [step, value], its extremes as [value, step]. */
type Tile = {
  /** Position of the series among the chosen ones, from 1. */
  readonly series: string;
  readonly first: [number, number];
  readonly lowest: [number, number];
  readonly highest: [number, number];
  readonly last: [number, number];
};

type Point = { readonly step: number; readonly value: number };

/**
 * The series of a run, each of at most `maxPoints` points: the extremes of equally wide ranges of steps, the first point and the last. A
 * series that is much longer is read from its rollups instead of its points.
 */
export async function readSeries(db: DataSource, request: Request): Promise<MetricSeries[]> {
  const owner = request.allAttempts ? 'attempt.id' : 'stage.id';
  const series = await overview(db, request, owner);
  const isLong = ({ rollups }: Overview): boolean => rollups >= tilesOf(request.maxPoints);
  const isShared = ({ attempts }: Overview): boolean => !request.allAttempts && attempts > 1;
  const parts: [Overview[], string][] = [
    [series.filter((one) => !isLong(one)), pointRows(owner, request.allAttempts)],
    [series.filter((one) => isLong(one) && !isShared(one)), rollupRows(owner)],
    [series.filter((one) => isLong(one) && isShared(one)), sharedRollupRows],
  ];
  const points = new Map<Overview, Point[]>();
  for (const [chosen, rows] of parts) {
    const found = groupBy(await readTiles(db, request.runId, chosen, request.maxPoints, rows), (tile) => Number(tile.series));
    chosen.forEach((one, index) => points.set(one, toPoints(found.get(index + 1) ?? [])));
  }
  return series.map((one) => {
    const kept = points.get(one) ?? [];
    return {
      name: one.name,
      stage: one.kind,
      attemptId: request.allAttempts ? one.owner : '',
      points: BigInt(one.points),
      steps: kept.map(({ step }) => step),
      values: kept.map(({ value }) => value),
    };
  });
}

/** What there is to read: from the rollups, whose rows are few. */
async function overview(db: DataSource, { runId, names, stages }: Request, owner: string): Promise<Overview[]> {
  return db.query<Overview[]>(
    `SELECT ${owner} AS owner, stage.kind, name, sum(rollups)::integer AS rollups, sum(points)::text AS points, count(*)::integer AS attempts,
       min(from_step) AS from_step, max(to_step) AS to_step
     FROM stage JOIN attempt ON attempt.stage_id = stage.id JOIN (
       SELECT attempt_id, name, count(*) AS rollups, sum(points) AS points, min(first_step) AS from_step, max(last_step) AS to_step
       FROM metric_rollup
       WHERE attempt_id = ANY (ARRAY (SELECT attempt.id FROM attempt JOIN stage ON stage.id = stage_id WHERE run_id = $1))
         AND (cardinality($2::text[]) = 0 OR name = ANY($2))
       GROUP BY attempt_id, name) AS told ON told.attempt_id = attempt.id
     WHERE stage.run_id = $1 AND (cardinality($3::text[]) = 0 OR stage.kind = ANY($3))
     GROUP BY ${owner}, stage.kind, stage.position, name
     ORDER BY stage.position, name, min(attempt.number)`,
    [runId, names, stages],
  );
}

const attemptOf = (owner: string): string => (owner === 'attempt.id' ? 'attempt.id = owner' : 'attempt.stage_id = owner');

const rollupColumns = 'first_step, first_value, min_step, min_value, max_step, max_value, last_step, last_value';
const pointColumns = ['first', 'min', 'max', 'last'].map((part) => `step AS ${part}_step, value AS ${part}_value`).join(', ');

/** Rows of the chosen series: their points, or ... */
const pointRows = (owner: string, allAttempts: boolean): string => `
  SELECT series, origin, width, ${pointColumns}
  FROM chosen JOIN attempt ON ${attemptOf(owner)} JOIN metric_point ON attempt_id = attempt.id AND metric_point.name = chosen.name
  WHERE metric_point.run_id = $1 ${allAttempts ? '' : `AND NOT ${superseded()}`}`;

/** ... rollups of series that one attempt has reported, or ... */
const rollupRows = (owner: string): string => `
  SELECT series, origin, width, ${rollupColumns}
  FROM chosen JOIN attempt ON ${attemptOf(owner)} JOIN metric_rollup ON attempt_id = attempt.id AND metric_rollup.name = chosen.name
  WHERE $1::uuid IS NOT NULL`;

/** ... rollups of the one attempt that has the steps, with the points themselves where several attempts share a rollup's steps. */
const sharedRollupRows = `
  SELECT series, origin, width, ${rollupColumns} FROM rolled WHERE tellers = 1
  UNION ALL
  SELECT series, origin, width, ${pointColumns}
  FROM (SELECT DISTINCT series, origin, width, owner, name, bucket FROM rolled WHERE tellers > 1) AS shared
    JOIN attempt ON attempt.stage_id = shared.owner
    JOIN metric_point ON attempt_id = attempt.id AND metric_point.name = shared.name AND step >> ${rollupBits} = bucket
  WHERE metric_point.run_id = $1 AND NOT ${superseded()}`;

async function readTiles(db: DataSource, runId: string, series: readonly Overview[], maxPoints: number, rows: string): Promise<Tile[]> {
  if (series.length === 0) return [];
  // The smallest and the largest of arrays, compared element by element: a sort for each aggregate would take four times as long.
  return db.query<Tile[]>(
    `WITH chosen AS (
         SELECT * FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::integer[]) WITH ORDINALITY
           AS chosen (owner, name, origin, width, series)),
       rolled AS (
         SELECT series, origin, width, owner, metric_rollup.*, count(*) OVER (PARTITION BY series, bucket) AS tellers
         FROM chosen JOIN attempt ON attempt.stage_id = owner
           JOIN metric_rollup ON attempt_id = attempt.id AND metric_rollup.name = chosen.name)
     SELECT series, min(ARRAY[first_step, first_value]) AS first, min(ARRAY[min_value, min_step]) AS lowest,
       max(ARRAY[max_value, max_step]) AS highest, max(ARRAY[last_step, last_value]) AS last
     FROM (${rows}) AS source GROUP BY series, (first_step - origin) / width ORDER BY series, (first_step - origin) / width`,
    [
      runId,
      series.map(({ owner }) => owner),
      series.map(({ name }) => name),
      series.map(({ from_step }) => from_step),
      series.map((one) => widthOf(one, maxPoints)),
    ],
  );
}

/** Steps that become one tile: one when all points may be kept. Each tile gives two points, the ends of the series two more. */
function widthOf({ points, from_step, to_step }: Overview, maxPoints: number): number {
  if (Number(points) <= maxPoints) return 1;
  return Math.ceil((to_step - from_step + 1) / tilesOf(maxPoints));
}

const tilesOf = (maxPoints: number): number => Math.floor((maxPoints - 2) / 2);

/** The points that the tiles of a series keep, each step once and in order. Pure. */
export function toPoints(tiles: readonly Tile[]): Point[] {
  const [first] = tiles;
  const last = tiles.at(-1);
  if (!first || !last) return [];
  const kept = new Map<number, number>([first.first, last.last]);
  for (const { lowest, highest } of tiles) for (const [value, step] of [lowest, highest]) kept.set(step, value);
  return [...kept].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step);
}
