// Metric points from a trainer's journal over its rpc into the database, beside COPY into the same table and MLflow on the same Postgres.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openAttempt } from './attempt.mjs';
import { median, round } from './tools.mjs';

/** Twenty series, as stages report them. */
const SERIES = Array.from({ length: 20 }, (_, index) => `dpo/series_${index}`);

const point = (index) => ({ name: SERIES[index % SERIES.length], step: Math.floor(index / SERIES.length), value: 1 / (index + 1) });

/** A job that has reported so many points and failed: what is measured is the way of its events, not a stage. */
function writeJournal(state, jobId, points) {
  const folder = path.join(state, 'jobs', jobId);
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const lines = Array.from({ length: points }, (_, index) => JSON.stringify({ seq: index + 1, at, metric: point(index) }));
  lines.push(JSON.stringify({ seq: points + 1, at, state: { state: 'JOB_STATE_FAILED', error: { code: 'BENCH', message: 'over' } } }));
  writeFileSync(path.join(folder, 'request.pb'), '');
  writeFileSync(path.join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
}

async function ours({ tools, sidecar, follow, points }) {
  const attempt = await openAttempt(tools.db, sidecar.address);
  writeJournal(sidecar.state, attempt.id, points);
  const view = { id: attempt.id, trainer: sidecar.address, state: 'JOB_STATE_RUNNING', lastSeq: 0n, unreachableSince: null, endedAt: null };
  const began = performance.now();
  await follow(tools, attempt.lease, view, false, new AbortController().signal);
  const seconds = (performance.now() - began) / 1000;
  const [{ count }] = await tools.db.query('SELECT count(*)::integer FROM metric_point WHERE attempt_id = $1', [attempt.id]);
  if (count !== points) throw new Error(`${count} points are stored, not ${points}`);
  return points / seconds;
}

async function copy({ tools, folder, points }) {
  const { id, runId } = await openAttempt(tools.db);
  const file = path.join(folder, `${id}.csv`);
  const line = ({ name, step, value }, index) => `${id},${index + 1},${runId},${name},${step},${value}`;
  writeFileSync(file, `${Array.from({ length: points }, (_, index) => line(point(index), index)).join('\n')}\n`);
  chmodSync(file, 0o644);
  const began = performance.now();
  await tools.db.query(`COPY metric_point (attempt_id, seq, run_id, name, step, value) FROM '${file}' (FORMAT csv)`);
  return points / ((performance.now() - began) / 1000);
}

async function mlflow({ mlflowUrl, points }) {
  const post = async (where, body) => {
    const response = await fetch(`${mlflowUrl}/api/2.0/mlflow/${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`MLflow ${where}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const create = () => post('runs/create', { experiment_id: '0', start_time: Date.now() });
  // The connection of the last turn may have been closed meanwhile.
  const { run } = await create().catch(create);
  const began = performance.now();
  // As many as it takes at once.
  for (let from = 0; from < points; from += 1_000) {
    const metrics = Array.from({ length: 1_000 }, (_, index) => {
      const { name, step, value } = point(from + index);
      return { key: name, value, timestamp: Date.now(), step };
    });
    await post('runs/log-batch', { run_id: run.info.run_id, metrics });
  }
  return points / ((performance.now() - began) / 1000);
}

export async function ingestion(parts) {
  const sides = { now: ours, copy, ...(parts.mlflowUrl ? { mlflow } : {}) };
  const rates = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round_ = 0; round_ < parts.rounds; round_++)
    for (const [name, work] of Object.entries(sides)) rates[name].push(await work(parts));
  // Pair by pair: the machine's load of the moment is the same for both.
  const against = (other) => round(median(rates.now.map((rate, index) => rate / rates[other][index])));
  const figures = Object.fromEntries(
    Object.entries(rates).map(([name, all]) => [`${name}_points_a_second`, all.map((rate) => Math.round(rate))]),
  );
  const rows = [
    {
      work: 'metric points stored, journal and rpc included, beside COPY into the same table',
      ratio: against('copy'),
      target: 0.75,
      higher_is_better: true,
      ...figures,
    },
  ];
  if (rates.mlflow) {
    rows.push({
      work: "metric points stored, journal and rpc included, beside MLflow's log-batch over HTTP",
      ratio: against('mlflow'),
      target: 5,
      higher_is_better: true,
    });
  }
  return rows;
}
