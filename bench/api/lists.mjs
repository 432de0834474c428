// Lists of runs and one run, against the release before.
import { queue } from './runs.mjs';
import { cost, idle, inTurns, round } from './tools.mjs';

const both = ({ server_ms, postgres_ms }) => server_ms + postgres_ms;

export async function lists({ before, now, postmaster, runs, rounds }) {
  const rows = [];
  const rest = { before: await idle(before, postmaster), now: await idle(now, postmaster) };
  for (const size of [50, 200]) {
    const count = Math.round(500 / size);
    const path = `/api/runs?page_size=${size}`;
    // Until the compiler has seen enough of both.
    for (const server of [before, now]) await cost(server, postmaster, path, 30);
    const sides = {
      before: () => cost(before, postmaster, path, count, rest.before),
      now: () => cost(now, postmaster, path, count, rest.now),
    };
    const figures = await inTurns(sides, rounds);
    const work = `ListRuns of ${size} finished runs at ${runs} runs`;
    const ratio = (part) => round(part(figures.before) / part(figures.now));
    rows.push({
      work: `${work}: processor time of server and Postgres`,
      ratio: ratio(both),
      target: 5,
      higher_is_better: true,
      ...figures,
    });
    rows.push({ work: `${work}: bytes`, ratio: ratio(({ bytes }) => bytes), target: 10, higher_is_better: true });
  }
  return rows;
}

/** A run that has ended and one at the end of the queue, with and without ten thousand before it. */
export async function oneRun({ before, now, clients, postmaster, rounds }) {
  const rows = [];
  const figures = {};
  const ended = {};
  const last = {};
  for (const [name, server] of Object.entries({ before, now })) {
    const { rows: found } = await clients[name].query(`SELECT id FROM run WHERE ended_at IS NOT NULL ORDER BY created_at DESC LIMIT 1`);
    ended[name] = () => cost(server, postmaster, `/api/runs/${found[0].id}`, 30);
    await ended[name]();
  }
  figures.empty_queue = await inTurns(ended, rounds);
  for (const [name, server] of Object.entries({ before, now })) {
    const ids = await queue(clients[name], 10_000);
    last[name] = () => cost(server, postmaster, `/api/runs/${ids.at(-1)}`, 30);
    await ended[name]();
    await last[name]();
  }
  figures.full_queue = await inTurns(ended, rounds);
  figures.last_of_queue = await inTurns(last, rounds);
  const growth = (name) => round(both(figures.full_queue[name]) / both(figures.empty_queue[name]));
  rows.push({
    work: 'GetRun of an ended run with 10,000 queued, beside the same with none: processor time',
    ...{ value: growth('now'), unit: 'x', limit: 1.25, before: growth('before'), ...figures },
  });
  rows.push({
    work: 'GetRun of the last of 10,000 queued runs: processor time',
    ratio: round(both(figures.last_of_queue.before) / both(figures.last_of_queue.now)),
    ...{ target: 1, higher_is_better: true },
  });
  for (const client of Object.values(clients))
    await client.query(`UPDATE run SET state = 'RUN_STATE_CANCELLED' WHERE state = 'RUN_STATE_QUEUED'`);
  return rows;
}
