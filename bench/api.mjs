// Measures the server's speed beside the release before, Postgres' own COPY and MLflow, all on one Postgres in one run.
// npm run bench:api -- --before FOLDER [--mlflow PYTHON] [--only lists,one_run,watches,ingestion,charts] [--runs N] [--rounds N] [--out FILE]
// FOLDER: a built checkout of the release to compare with. PYTHON: one of an environment with mlflow and psycopg2. Needs `npm run build`.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { migrations } from '../dist/migrations/index.js';
import { entities } from '../dist/server/src/app.module.js';
import { storePoints } from '../dist/server/src/model/metrics.js';
import { follow } from '../dist/server/src/pipeline/reconciler/attempt-watch.js';
import { ingest } from '../dist/server/src/pipeline/reconciler/event-ingest.js';
import { openDatabase } from '../dist/server/src/platform/database/database.js';
import { notifyChange } from '../dist/server/src/platform/database/watch.js';
import { ArtifactStore } from '../dist/server/src/platform/storage/artifact-store.js';
import { TrainerDirectory } from '../dist/server/src/trainers/trainer-directory.js';
import { TrainerPool } from '../dist/server/src/trainers/trainer-pool.js';
import { Product, Server } from '../dist/test/support/product.js';
import { charts } from './api/charts.mjs';
import { ingestion } from './api/ingestion.mjs';
import { lists, oneRun } from './api/lists.mjs';
import { fill } from './api/runs.mjs';
import { watches, watchRows } from './api/watches.mjs';

const WHOLE_RUNS = 2_000;
const changes = { notify: notifyChange };
const today = new Date().toISOString().slice(0, 10);

const { values } = parseArgs({
  options: {
    before: { type: 'string' },
    mlflow: { type: 'string' },
    only: { type: 'string', default: 'lists,one_run,watches,ingestion,charts' },
    runs: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    watchers: { type: 'string', default: '500' },
    points: { type: 'string', default: '20000' },
    out: { type: 'string', default: 'bench/results/api.json' },
  },
});
if (!values.before) throw new Error('--before FOLDER is needed: a built checkout of the release to compare with.');
const [runs, rounds, watchers, points] = [values.runs, values.rounds, values.watchers, values.points].map(Number);
const beforeDist = path.resolve(values.before, 'dist');
const imported = (file) => import(pathToFileURL(path.join(beforeDist, file)).href);

const product = new Product();
const closers = [];
const rows = [];
const loads = [os.loadavg()[0]];
try {
  const keeper = await product.start();
  const sides = await twoServers(keeper);
  const works = {
    lists: () => lists({ ...sides, runs, rounds }),
    one_run: () => oneRun({ ...sides, rounds }),
    charts: () => charts({ ...sides, storePoints }),
    watches: () => watched(sides),
    ingestion: () => ingested(sides),
  };
  for (const name of Object.keys(works).filter((one) => values.only.split(',').includes(one))) {
    const measured = await works[name]();
    loads.push(os.loadavg()[0]);
    for (const row of measured) console.error(row.work, row.ratio ?? `${row.value} ${row.unit}`);
    rows.push(...measured);
    write();
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const close of closers.reverse()) await close();
  await product.close();
}

/** After each work, so that a later one's failure loses nothing; rows of earlier calls stay until they are measured again. */
function write() {
  const machine = {
    cpus: os.availableParallelism(),
    loads: loads.map((load) => Math.round(load * 10) / 10),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
  };
  const measured = new Set(rows.map(({ work }) => work));
  const earlier = existsSync(values.out) ? JSON.parse(readFileSync(values.out, 'utf8')).rows : [];
  const all = [...earlier.filter(({ work }) => !measured.has(work)), ...rows.map((row) => ({ ...row, machine, date: today }))];
  mkdirSync(path.dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify({ rows: all }, null, 2)}\n`);
}

function databaseUrl(name) {
  return product.databaseUrl.replace(/[^/]+$/, name);
}

async function connected(url) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  closers.push(() => client.end());
  return client;
}

/** The same runs in two databases, the release before on one and this one on the other. */
async function twoServers(keeper) {
  const admin = await connected(product.databaseUrl);
  await admin.query('CREATE DATABASE before');
  const old = await imported('test/support/product.js');
  const start = (Kind, name) =>
    Kind.start({ STIC_STATE: path.join(product.folder, name), DATABASE_URL: databaseUrl(name), TRAINERS: '127.0.0.1:1' });
  const first = await start(old.Server, 'before');
  const { presets } = await keeper.get('/api/presets');
  const filling = await connected(databaseUrl('before'));
  await fill(filling, { runs, whole: Math.min(runs, WHOLE_RUNS), recipe: presets.find(({ name }) => name === 'tiny').recipe });
  await filling.end();
  await first.stop();
  await admin.query('CREATE DATABASE now TEMPLATE before');
  const before = await start(old.Server, 'before');
  closers.push(() => before.stop());
  const now = await start(Server, 'now');
  closers.push(() => now.stop());
  const { base } = JSON.parse(readFileSync(path.join(product.state, 'postgres.json'), 'utf8'));
  const postmaster = Number.parseInt(readFileSync(path.join(base, 'postgres/postmaster.pid'), 'utf8'), 10);
  const clients = { before: await connected(databaseUrl('before')), now: await connected(databaseUrl('now')) };
  const db = await openDatabase({ url: databaseUrl('now'), entities, migrations });
  closers.push(() => db.destroy());
  return { before, now, postmaster, clients, db };
}

async function watched({ before, now, db }) {
  const figures = await watches({ now, db, changes, ingest, watchers, seconds: 30 });
  const old = {
    database: await imported('server/src/platform/database/database.js'),
    entities: await imported('server/src/app.module.js'),
    migrations: await imported('migrations/index.js'),
    ingest: await imported('server/src/pipeline/reconciler/ingest.js'),
  };
  const oldDb = await old.database.openDatabase({
    url: databaseUrl('before'),
    entities: old.entities.entities,
    migrations: old.migrations.migrations,
  });
  closers.push(() => oldDb.destroy());
  const earlier = await watches({ now: before, db: oldDb, changes, ingest: old.ingest.ingest, watchers, seconds: 30 }).catch((error) => ({
    failed: String(error),
  }));
  return watchRows(figures, earlier);
}

async function ingested({ db }) {
  const sidecar = await product.sidecar('bench');
  const store = await ArtifactStore.open(path.join(product.state, 'store'));
  const trainers = new TrainerPool(TrainerDirectory.fixed([sidecar.address]), store);
  closers.push(() => trainers.onApplicationShutdown());
  const mlflowUrl = values.mlflow ? await mlflowServer() : undefined;
  return ingestion({ tools: { db, changes, trainers, store }, sidecar, follow, folder: product.folder, mlflowUrl, points, rounds });
}

/** MLflow's own server, two workers, on a database of the same Postgres. */
async function mlflowServer() {
  const admin = await connected(product.databaseUrl);
  await admin.query('CREATE DATABASE mlflow');
  const port = await freePort();
  const store = databaseUrl('mlflow').replace('postgres://', 'postgresql+psycopg2://');
  const where = [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--workers',
    '2',
    '--artifacts-destination',
    path.join(product.folder, 'mlflow'),
  ];
  const child = spawn(values.mlflow, ['-m', 'mlflow', 'server', '--backend-store-uri', store, ...where], {
    stdio: 'ignore',
    detached: true,
  });
  closers.push(() => child.exitCode ?? process.kill(-child.pid, 'SIGTERM'));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 240; tries++) {
    const ready = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return url;
    await sleep(500);
  }
  throw new Error('MLflow did not start within two minutes.');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
