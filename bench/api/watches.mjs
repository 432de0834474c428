// Five hundred watchers of one run to which a trainer reports three hundred events a second, and GetRun beside them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openAttempt } from './attempt.mjs';
import { familyCpuMs, percentile, round } from './tools.mjs';

const BATCHES_A_SECOND = 6;
const EVENTS_IN_BATCH = 50;

export async function watches({ now, db, changes, ingest, watchers, seconds }) {
  const attempt = await openAttempt(db);
  const client = spawn(
    process.execPath,
    [fileURLToPath(new URL('watch-client.mjs', import.meta.url)), `${now.url}/api/runs/${attempt.runId}/watch`, watchers, seconds].map(
      String,
    ),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  client.stdout.on('data', (chunk) => (output += chunk));
  const exited = once(client, 'exit');
  let seq = 0;
  const report = () => {
    const events = Array.from({ length: EVENTS_IN_BATCH }, (_, index) => event((seq += 1), index));
    return ingest(db, changes, attempt.lease, attempt.id, events);
  };
  const requests = [];
  let cpu;
  let began;
  let over = false;
  void exited.then(() => (over = true));
  const asking = (async () => {
    while (!over) {
      await sleep(250);
      if (!began) continue;
      const from = performance.now();
      await (await fetch(`${now.url}/api/runs/${attempt.runId}`)).text();
      requests.push(performance.now() - from);
    }
  })();
  while (!over) {
    const from = performance.now();
    await report();
    if (!began && output.includes('open\n')) [began, cpu] = [performance.now(), familyCpuMs(now.pid)];
    await sleep(Math.max(0, 1000 / BATCHES_A_SECOND - (performance.now() - from)));
  }
  const cores = (familyCpuMs(now.pid) - cpu) / (performance.now() - began);
  await asking;
  return {
    ...JSON.parse(output.split('\n')[1]),
    server_cores: round(cores),
    get_run_p50_ms: round(percentile(requests, 0.5)),
    get_run_p95_ms: round(percentile(requests, 0.95)),
  };
}

/** Mostly metrics, and a progress that tells when it was reported. */
function event(seq, index) {
  const at = new Date();
  const value =
    index === 0
      ? { unit: 'steps', done: Date.now() % 1e9, total: 1e9, etaSeconds: 1, phase: '' }
      : { name: 'dpo/loss', step: seq, value: 1 / seq };
  return { seq: BigInt(seq), at, event: { $case: index === 0 ? 'progress' : 'metric', value } };
}

export function watchRows(figures, before) {
  const { watchers } = figures;
  const work = `${watchers} watchers of one run, 300 events a second`;
  return [
    {
      work: `${work}: updates a second of the slowest watcher`,
      value: figures.least_updates_a_second,
      unit: '1/s',
      limit: 1,
      higher_is_better: true,
      now: figures,
      before,
    },
    { work: `${work}: p95 from report to watcher`, value: figures.latency_p95_ms, unit: 'ms', limit: 1000 },
    { work: `${work}: GetRun beside them, median`, value: figures.get_run_p50_ms, unit: 'ms', limit: 100 },
  ];
}
