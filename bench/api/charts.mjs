// A chart of a series of a million points.
import { openAttempt } from './attempt.mjs';
import { familyCpuMs, median, round } from './tools.mjs';

const POINTS = 1_000_000;
const MAX_POINTS = 1_000;
const REPEATS = 11;

export async function charts({ now, db, clients, postmaster, storePoints }) {
  const { runId, id } = await openAttempt(db);
  // The foreign keys hold by what is inserted.
  await clients.now.query('SET session_replication_role = replica');
  const part = 100_000;
  const insert = storePoints(
    `SELECT '${id}'::uuid, '${runId}'::uuid, n, 'dpo/loss', n::integer, sin(n / 1000.0) + random() FROM generate_series($1::bigint, $2::bigint) AS n`,
  );
  for (let from = 1; from <= POINTS; from += part) await clients.now.query(insert, [from, from + part - 1]);
  await clients.now.query('RESET session_replication_role');
  await db.query('ANALYZE metric_point');
  await db.query('ANALYZE metric_rollup');
  const where = `${now.url}/api/runs/${runId}/metrics?max_points=${MAX_POINTS}`;
  const times = [];
  let before = 0;
  let bytes = 0;
  for (let index = 0; index <= REPEATS; index++) {
    if (index === 1) before = familyCpuMs(now.pid) + familyCpuMs(postmaster);
    const began = performance.now();
    bytes = (await (await fetch(where)).arrayBuffer()).byteLength;
    if (index > 0) times.push(performance.now() - began);
  }
  const processor = (familyCpuMs(now.pid) + familyCpuMs(postmaster) - before) / REPEATS;
  const work = `a chart of a series of ${POINTS} points, at most ${MAX_POINTS} shown`;
  return [
    { work: `${work}: bytes`, value: bytes, unit: 'B', limit: 200_000 },
    {
      work: `${work}: median time`,
      value: round(median(times)),
      unit: 'ms',
      limit: 300,
      processor_ms: round(processor),
      all_ms: times.map((time) => round(time)),
    },
  ];
}
