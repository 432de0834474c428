// Measures the control plane on a state folder of its own: hand-over between stages, a thousand queued runs, metric points stored.
// node bench/server.mjs [--out bench/results/server.json]; needs `npm run build` first. Takes about two minutes on two quiet cores.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { migrations } from '../dist/migrations/index.js';
import { entities } from '../dist/server/src/app.module.js';
import { claimOpen, claimReady, waitingStages } from '../dist/server/src/pipeline/reconciler/lease.js';
import { ingest } from '../dist/server/src/pipeline/reconciler/event-ingest.js';
import { startable } from '../dist/server/src/pipeline/reconciler/attempt-start.js';
import { openDatabase } from '../dist/server/src/platform/database/database.js';
import { Product } from '../dist/test/support/product.js';

const QUEUED = 1_000;
const POINTS = 50_000;
/** As many as the reconciler stores at once. */
const BATCH = 2_500;
const REPEATS = 21;

const at = (event) => Date.parse(event.at);

const { values } = parseArgs({ options: { out: { type: 'string', default: 'bench/results/server.json' } } });
const product = new Product();
try {
  const server = await product.start();
  // Stages of several seconds, as any real one has: the next worker loads its libraries meanwhile.
  const world = await product.world(64, 64, 8);
  const images = await server.dataset('images', 'DATASET_KIND_IMAGES', `${world}/images`);
  const instructions = await server.dataset('instructions', 'DATASET_KIND_INSTRUCTIONS', `${world}/instructions/instructions.json`);
  const inputs = [
    { role: 'images', dataset_id: images.id },
    { role: 'instructions', dataset_id: instructions.id },
  ];
  const recipe = await server.smallRecipe(({ dpo, describe, sft }) => {
    describe.maxBatchTokens = 64;
    dpo.optimizer.epochs = sft.optimizer.epochs = 6;
  });
  const db = await openDatabase({ url: product.databaseUrl, entities, migrations });
  const result = {
    machine: {
      cpus: os.availableParallelism(),
      load: os.loadavg()[0],
      memory_gib: Math.round(os.totalmem() / 2 ** 30),
      node: process.version,
    },
    hand_over: await told('hand-over', handOver(server, recipe, inputs)),
    queue: await told('queue', queue(server, db, recipe, inputs)),
    metrics: await told('metrics', metrics(db)),
  };
  await db.destroy();
  mkdirSync(path.dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(result, null, 2));
} finally {
  await product.close();
}

/** Says on the way what is done; the whole is printed at the end. */
async function told(name, work) {
  const result = await work;
  console.error(name, JSON.stringify(result));
  return result;
}

/** Milliseconds from a stage's last event to the next one's first counted progress, and what they are made of; from the journals. */
async function handOver(server, recipe, inputs) {
  const { id } = await server.post('/api/runs', { recipe, inputs, reuse_stages: false });
  const run = await server.ended(id);
  if (run.state !== 'RUN_STATE_SUCCEEDED') throw new Error(`the run ended as ${run.state}: ${run.error?.message}`);
  const journals = run.stages.map((stage) => ({ kind: stage.kind, events: journal(stage.attempts[0].id) }));
  const pairs = journals.slice(1).map(({ kind, events }, index) => {
    const end = at(journals[index].events.at(-1));
    const queued = at(events[0]);
    const running = at(events.find((event) => event.state?.state === 'JOB_STATE_RUNNING'));
    const progress = events.find((event) => (event.progress?.done ?? 0) > 0);
    const first = at(progress ?? events.at(-1));
    return { to: kind, total: first - end, server: queued - end, process: running - queued, imports_model_and_first_item: first - running };
  });
  const withTorch = pairs.filter(({ to }) => to !== 'STAGE_KIND_INFUSE');
  const middle = (part) => median(withTorch.map((pair) => pair[part]));
  return {
    pairs_ms: pairs,
    median_ms: Object.fromEntries(['total', 'server', 'process', 'imports_model_and_first_item'].map((part) => [part, middle(part)])),
  };
}

function journal(jobId) {
  const lines = readFileSync(path.join(product.state, 'trainer/jobs', jobId, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** What a thousand runs that wait cost: making them, a look of the reconciler, a page of the list. */
async function queue(server, db, recipe, inputs) {
  // Nothing carries this label and no run had this seed, so they stay where they are and are looked at for an equal stage every time.
  const body = { recipe: { ...recipe, seed: 7 }, inputs, requires: { labels: { bench: 'never' } } };
  const began = performance.now();
  for (let count = 0; count < QUEUED; count++) await server.post('/api/runs', body);
  const createMs = (performance.now() - began) / QUEUED;
  const { trainers } = await server.get('/api/trainers');
  const idle = trainers.map(({ address, info }) => ({ address, info: { ...info, activeJobIds: [], labels: {}, gpuMemoryBytes: 0n } }));
  const tools = { db, trainers: { list: () => Promise.resolve(idle) } };
  const waiting = (await waitingStages(db, QUEUED + 1)).length;
  if (waiting !== QUEUED) throw new Error(`${waiting} stages wait, not ${QUEUED}`);
  const pass = await timed(async () => {
    await claimOpen(db, 'bench');
    await claimReady(db, 'bench', await startable(tools));
  });
  return {
    runs: QUEUED,
    create_run_ms: round(createMs),
    reconciler_pass_ms: pass,
    list_50_runs_ms: await timed(() => server.get('/api/runs?page_size=50')),
    list_200_runs_ms: await timed(() => server.get('/api/runs?page_size=200')),
  };
}

/** Points per second through the reconciler's own door: one transaction per batch, fenced, with the last seq. */
async function metrics(db) {
  const runId = randomUUID();
  const stageId = randomUUID();
  const attemptId = randomUUID();
  await db.query(
    `INSERT INTO run (id, name, state, recipe, recipe_digest, created_at) VALUES ($1, 'bench', 'RUN_STATE_CANCELLED', '{}', '', now())`,
    [runId],
  );
  const lease = { stageId, runId, owner: 'bench', epoch: 1 };
  await db.query(
    `INSERT INTO stage (id, run_id, position, kind, state, after, lease_owner, lease_expires_at, epoch)
     VALUES ($1, $2, 0, 'STAGE_KIND_DPO', 'STAGE_STATE_CANCELLED', '[]', 'bench', now() + interval '1 hour', 1)`,
    [stageId, runId],
  );
  await db.query(`INSERT INTO attempt (id, stage_id, number, state, trainer) VALUES ($1, $2, 1, 'JOB_STATE_RUNNING', 'bench')`, [
    attemptId,
    stageId,
  ]);
  const changes = { notify: (manager, topic) => manager.query('SELECT pg_notify($1, $2)', ['stic_changes', topic]) };
  const point = (seq) => ({
    seq: BigInt(seq),
    at: new Date(),
    event: { $case: 'metric', value: { name: 'dpo/loss', step: seq, value: 1 / seq } },
  });
  const began = performance.now();
  for (let seq = 1; seq <= POINTS; seq += BATCH) {
    await ingest(
      db,
      changes,
      lease,
      attemptId,
      Array.from({ length: BATCH }, (_, index) => point(seq + index)),
    );
  }
  const seconds = (performance.now() - began) / 1000;
  const [{ count }] = await db.query('SELECT count(*)::integer FROM metric_point WHERE attempt_id = $1', [attemptId]);
  if (count !== POINTS) throw new Error(`${count} points are stored, not ${POINTS}`);
  return { points: POINTS, batch: BATCH, points_per_second: Math.round(POINTS / seconds) };
}

/** Median and worst of some repeats, in milliseconds. */
async function timed(work) {
  await work();
  const times = [];
  for (let count = 0; count < REPEATS; count++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return { median: round(median(times)), worst: round(Math.max(...times)) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function round(value) {
  return Math.round(value * 100) / 100;
}
