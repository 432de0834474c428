import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { DatasetAdditions, DatasetsService } from '../../server/src/datasets/index.js';
import { DatasetsImporter } from '../../server/src/datasets/datasets.importer.js';
import { CreateDatasetRequest, VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import {
  CatchUpPolicy,
  CreateScheduleRequest,
  OverlapPolicy,
  PreviewScheduleRequest,
  type Schedule,
  ScheduleInput,
  ScheduleSpec,
  type Tick,
  TickReason,
  TickState,
} from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { loadPresets, type Presets } from '../../server/src/recipe/presets.js';
import { Clock } from '../../server/src/platform/clock.js';
import { type Config, loadConfig } from '../../server/src/platform/config/config.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import { Changes } from '../../server/src/platform/database/watch.js';
import { RunActions } from '../../server/src/runs/run.actions.js';
import { RunReader } from '../../server/src/runs/run.reader.js';
import { Preflights } from '../../server/src/runs/preflight.js';
import { RunsService } from '../../server/src/runs/runs.service.js';
import { localTime } from '../../server/src/schedules/fire-times.js';
import { planNext } from '../../server/src/schedules/ticks/plan-due.js';
import { Scheduler } from '../../server/src/schedules/scheduler.service.js';
import { SchedulesService } from '../../server/src/schedules/schedules.service.js';
import { LocalSidecar, TrainerPool } from '../../server/src/trainers/index.js';
import { until } from '../support/product.js';

/** Stands still until a test moves it. */
class TestClock extends Clock {
  private time = new Date('2027-01-01T12:00:00Z');

  now(): Promise<Date> {
    return Promise.resolve(this.time);
  }

  set(moment: string | Date): void {
    this.time = new Date(moment);
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-s-'));
const pictures = path.join(folder, 'pictures');
const inbox = path.join(folder, 'inbox');
const clock = new TestClock();
let config: Config;
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let sidecar: LocalSidecar;
let importer: DatasetsImporter;
let servers: Server[] = [];
let server: Server;
let db: DataSource;
let recipe: Recipe;
let images = '';

/** What one server process has of schedules, on the shared database. Nothing drives the runs: a test says how they end. */
type Server = {
  db: DataSource;
  changes: Changes;
  datasets: DatasetsService;
  runs: RunsService;
  schedules: SchedulesService;
  scheduler: Scheduler;
  trainers: TrainerPool;
};

async function startServer(store: ArtifactStore, presets: Presets): Promise<Server> {
  const database = await openDatabase({ url: postgres.url, entities, migrations });
  const changes = new Changes(postgres.url);
  const trainers = new TrainerPool(sidecar, store);
  const datasets = new DatasetsService(database, changes, store);
  const additions = new DatasetAdditions(database, store, datasets);
  const reader = new RunReader(database, trainers, presets);
  const runs = new RunsService(database, changes, trainers, datasets, reader, new Preflights(database, trainers), presets);
  const schedules = new SchedulesService(database, changes, clock, runs);
  return {
    db: database,
    changes,
    datasets,
    runs,
    schedules,
    trainers,
    scheduler: new Scheduler(database, changes, clock, runs, new RunActions(database, changes, reader), datasets, additions),
  };
}

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  config = loadConfig({ ...process.env, STIC_STATE: path.join(folder, 'state'), DATABASE_URL: '', TRAINERS: '' });
  const store = await ArtifactStore.open(config.store);
  sidecar = new LocalSidecar(config, store.id);
  sidecar.open();
  postgres = await EmbeddedPostgres.open({ state: config.state, binaries: config.postgresBinaries });
  const presets = loadPresets(config.paths.recipes, config.paths.prompts);
  servers = [await startServer(store, presets), await startServer(store, presets)];
  [server] = servers as [Server];
  db = server.db;
  recipe = presets.get('tiny')?.recipe ?? Recipe.fromPartial({});
  importer = new DatasetsImporter(db, server.changes, server.trainers);
  importer.onApplicationBootstrap();
  const render = ['-m', 'stic_trainer.world', 'render', '--out', path.join(folder, 'world'), '--seed', '4711', '--images', '8'];
  await promisify(execFile)(config.paths.python, [...render, '--instructions', '1', '--test-scenes', '1'], { cwd: config.paths.trainer });
  add(pictures, 0, 4);
  images = await dataset('pictures', pictures);
});

afterAll(async () => {
  await importer.onModuleDestroy();
  for (const one of servers) {
    one.trainers.onApplicationShutdown();
    one.changes.onModuleDestroy();
    await one.changes.onApplicationShutdown();
    await one.db.destroy();
  }
  await sidecar.close();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Copies pictures number `from` up to `to` of the world. */
function add(to: string, from: number, end: number): void {
  mkdirSync(to, { recursive: true });
  const source = path.join(folder, 'world/images');
  for (const name of readdirSync(source).sort().slice(from, end)) copyFileSync(path.join(source, name), path.join(to, name));
}

async function dataset(name: string, source: string): Promise<string> {
  const request = CreateDatasetRequest.fromPartial({ name, source, kind: DatasetKind.DATASET_KIND_IMAGES });
  const { id } = await server.datasets.create(request);
  await imported(id);
  return id;
}

function imported(datasetId: string): Promise<unknown> {
  return until(
    () => server.datasets.get({ datasetId }),
    ({ latest }) => latest?.state === VersionState.VERSION_STATE_READY,
  );
}

let made = 0;

/** A schedule at 02:30 every night in Paris, made at the moment; schedules of earlier tests are out of the way. */
async function nightly(at: string, change: object = {}): Promise<Schedule> {
  await db.query('DELETE FROM schedule');
  clock.set(at);
  const inputs = [ScheduleInput.fromPartial({ role: 'images', datasetId: images })];
  const spec = { name: `nightly ${made++}`, cron: '30 2 * * *', zone: 'Europe/Paris', recipe, inputs, ...change };
  return server.schedules.create(CreateScheduleRequest.fromPartial({ requestId: randomUUID(), spec }));
}

/** Moves the clock and lets both servers do all that is due, at the same time. */
async function at(moment: string | Date): Promise<void> {
  clock.set(moment);
  await Promise.all(servers.map(({ scheduler }) => scheduler.planDue()));
  await Promise.all(servers.map(({ scheduler }) => scheduler.fireDue()));
}

async function ticks({ id }: Schedule): Promise<Tick[]> {
  const { ticks: newestFirst } = await server.schedules.listTicks({
    scheduleId: id,
    pageSize: 200,
    pageToken: '',
    filter: '',
    orderBy: '',
    state: TickState.TICK_STATE_UNSPECIFIED,
  });
  return newestFirst.reverse();
}

/** Each tick in a line: nominal time in UTC, state, reason. */
async function lines(schedule: Schedule): Promise<string[]> {
  return (await ticks(schedule)).map(({ nominalAt, state, reason }) => {
    const why = reason === TickReason.TICK_REASON_UNSPECIFIED ? '' : ` ${reason.replace('TICK_REASON_', '')}`;
    return `${nominalAt?.toISOString().slice(0, 16) ?? ''} ${state.replace('TICK_STATE_', '')}${why}`;
  });
}

/** Every open run of the schedule ends so. */
async function runsEnd({ id }: Schedule, state: RunState): Promise<void> {
  const error = state === RunState.RUN_STATE_FAILED ? JSON.stringify({ code: 'OUT_OF_MEMORY', message: 'The GPU is full.' }) : null;
  await db.query(
    `UPDATE run SET state = $2, error = $3, ended_at = now() WHERE ended_at IS NULL AND id IN (SELECT run_id FROM tick WHERE schedule_id = $1)`,
    [id, state, error],
  );
}

const runCount = async ({ id }: Schedule): Promise<number> => {
  const [row] = await db.query<{ count: number }[]>(
    `SELECT count(*)::integer AS count FROM idempotency_key WHERE method = 'CreateRun' AND request_id LIKE 'schedule/' || $1 || '/%'`,
    [id],
  );
  return row?.count ?? 0;
};

test('two servers on one database fire once, and the tick keeps nominal and actual time apart', async () => {
  const requires = { labels: { gpuKind: 'A100' }, gpuMemoryGib: 24 };
  const schedule = await nightly('2027-01-01T12:00:00Z', { jitterSeconds: 300, priority: 7, requires });
  expect(schedule.nextAt?.toISOString()).toBe('2027-01-02T01:30:00.000Z');
  const due = schedule.nextDueAt ?? new Date(0);
  await at(new Date(due.getTime() - 1));
  expect(await ticks(schedule)).toStrictEqual([]);
  await at(new Date(due.getTime() + 2_000));
  await at(new Date(due.getTime() + 3_000));
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
  const [tick] = await ticks(schedule);
  expect([tick?.dueAt, tick?.firedAt]).toStrictEqual([due, new Date(due.getTime() + 2_000)]);
  expect(await runCount(schedule)).toBe(1);
  const run = await server.runs.get({ runId: tick?.runId ?? '' });
  expect(run.name).toMatch(/^nightly \d+ 2027-01-02 02:30$/);
  expect(run.recipeDigest).toBe(schedule.recipeDigest);
  expect([run.priority, run.requires]).toStrictEqual([7, requires]);
  expect(run.schedule).toStrictEqual({ scheduleId: schedule.id, scheduleName: schedule.spec?.name });
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  await at(new Date(due.getTime() + 9_000));
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 SUCCEEDED']);
  expect((await server.schedules.get({ scheduleId: schedule.id })).lastSuccess?.runId).toBe(run.id);
});

test('many claimers at once write each time once', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', {
    cron: '*/10 * * * * *',
    zone: 'UTC',
    overlap: OverlapPolicy.OVERLAP_POLICY_QUEUE,
  });
  const now = new Date('2027-01-01T12:01:00Z');
  await Promise.all(Array.from({ length: 8 }, (_, index) => planNext((servers[index % 2] ?? server).db, now)));
  expect(await ticks(schedule)).toHaveLength(6);
});

test('once per night on both nights of daylight saving, as the preview says', async () => {
  for (const [zone, from, nights] of [
    ['Europe/Paris', '2027-03-26T12:00:00Z', ['27T02:30:00+01:00', '28T03:00:00+02:00', '29T02:30:00+02:00']],
    ['Europe/Paris', '2027-10-29T12:00:00Z', ['30T02:30:00+02:00', '31T02:30:00+02:00', '01T02:30:00+01:00']],
    ['America/New_York', '2027-03-12T12:00:00Z', ['13T02:30:00-05:00', '14T03:00:00-04:00', '15T02:30:00-04:00']],
    ['America/New_York', '2027-11-05T12:00:00Z', ['06T02:30:00-04:00', '07T02:30:00-05:00', '08T02:30:00-05:00']],
  ] as const) {
    const schedule = await nightly(from, { zone });
    const { fires } = await server.schedules.preview(PreviewScheduleRequest.fromPartial({ scheduleId: schedule.id, count: 3 }));
    // Looked at every half hour of the nights, as servers do that have nothing better to do.
    for (let half = 0; half < 72 * 2; half++) {
      const moment = new Date(new Date(from).getTime() + half * 1_800_000);
      if (moment.getUTCHours() > 9) continue;
      clock.set(moment);
      await server.scheduler.planDue();
    }
    const fired = await ticks(schedule);
    expect(
      fired.map(({ nominalAt }) => localTime(nominalAt ?? new Date(0), zone).slice(8)),
      `${zone} ${from}`,
    ).toStrictEqual(nights);
    expect(fires.map(({ nominalAt }) => nominalAt)).toStrictEqual(fired.map(({ nominalAt }) => nominalAt));
    expect(fires.map(({ local }) => local.slice(8))).toStrictEqual(nights);
  }
});

test('another zone moves the next fire and fires nothing twice', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  await at('2027-01-02T01:30:00Z');
  const spec = ScheduleSpec.fromPartial({ ...schedule.spec, zone: 'America/New_York' });
  const moved = await server.schedules.update({ scheduleId: schedule.id, spec, etag: schedule.etag });
  expect(moved.etag).not.toBe(schedule.etag);
  await expect(server.schedules.update({ scheduleId: schedule.id, spec: schedule.spec, etag: schedule.etag })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    field: 'etag',
  });
  expect(moved.nextAt?.toISOString()).toBe('2027-01-02T07:30:00.000Z');
  const back = await server.schedules.update({ scheduleId: schedule.id, spec: schedule.spec, etag: '' });
  expect(back.nextAt?.toISOString()).toBe('2027-01-03T01:30:00.000Z');
  await at('2027-01-02T12:00:00Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
});

test('a clock that jumps ahead and is set back fires nothing twice and loses no night', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', { catchUp: CatchUpPolicy.CATCH_UP_POLICY_LAST });
  await at('2027-01-03T12:00:00Z');
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  await at('2027-01-03T12:00:10Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 SKIPPED SUPERSEDED', '2027-01-03T01:30 SUCCEEDED']);
  await at('2027-01-01T12:01:00Z');
  expect((await server.schedules.get({ scheduleId: schedule.id })).nextAt?.toISOString()).toBe('2027-01-02T01:30:00.000Z');
  await at('2027-01-02T01:30:05Z');
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  await at('2027-01-03T01:30:05Z');
  await at('2027-01-04T01:30:05Z');
  expect((await lines(schedule)).filter((line) => !line.includes('SKIPPED'))).toStrictEqual([
    '2027-01-02T01:30 SUCCEEDED',
    '2027-01-03T01:30 SUCCEEDED',
    '2027-01-04T01:30 RUNNING',
  ]);
  expect(await runCount(schedule)).toBe(3);
});

test('overlap: skip', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  await at('2027-01-02T01:30:00Z');
  await at('2027-01-03T01:30:00Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING', '2027-01-03T01:30 SKIPPED OVERLAP']);
  expect((await ticks(schedule))[1]?.message ?? '').toMatch(/2027-01-02T01:30:00.000Z is still running/);
});

test('overlap: queue', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', { overlap: OverlapPolicy.OVERLAP_POLICY_QUEUE });
  for (const day of ['02', '03', '04']) await at(`2027-01-${day}T01:30:00Z`);
  expect(await lines(schedule)).toStrictEqual([
    '2027-01-02T01:30 RUNNING',
    '2027-01-03T01:30 WAITING OVERLAP',
    '2027-01-04T01:30 WAITING OVERLAP',
  ]);
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  await at('2027-01-04T01:30:01Z');
  expect(await lines(schedule)).toStrictEqual([
    '2027-01-02T01:30 SUCCEEDED',
    '2027-01-03T01:30 RUNNING',
    '2027-01-04T01:30 WAITING OVERLAP',
  ]);
});

test('overlap: cancel the previous run', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', { overlap: OverlapPolicy.OVERLAP_POLICY_CANCEL_PREVIOUS });
  await at('2027-01-02T01:30:00Z');
  await at('2027-01-03T01:30:00Z');
  await at('2027-01-03T01:30:02Z');
  await at('2027-01-03T01:30:04Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 CANCELLED OVERTAKEN', '2027-01-03T01:30 RUNNING']);
  const [first] = await ticks(schedule);
  expect((await server.runs.get({ runId: first?.runId ?? '' })).state).toBe(RunState.RUN_STATE_CANCELLED);
});

test('after a gap: none, the last, all within the window, one after the other', async () => {
  const gap = async (catchUp: CatchUpPolicy): Promise<Schedule> => {
    const schedule = await nightly('2027-01-01T12:00:00Z', { catchUp, catchUpWindowSeconds: 2 * 86_400 });
    await at('2027-01-04T12:00:00Z');
    return schedule;
  };
  expect(await lines(await gap(CatchUpPolicy.CATCH_UP_POLICY_NONE))).toStrictEqual([
    '2027-01-02T01:30 SKIPPED MISSED',
    '2027-01-03T01:30 SKIPPED MISSED',
    '2027-01-04T01:30 SKIPPED MISSED',
  ]);
  expect(await lines(await gap(CatchUpPolicy.CATCH_UP_POLICY_LAST))).toStrictEqual([
    '2027-01-02T01:30 SKIPPED SUPERSEDED',
    '2027-01-03T01:30 SKIPPED SUPERSEDED',
    '2027-01-04T01:30 RUNNING',
  ]);
  expect(await lines(await gap(CatchUpPolicy.CATCH_UP_POLICY_ALL))).toStrictEqual([
    '2027-01-02T01:30 SKIPPED OUTSIDE_WINDOW',
    '2027-01-03T01:30 RUNNING',
    '2027-01-04T01:30 WAITING OVERLAP',
  ]);
});

test('pauses after failures in a row, says so, and a resume starts afresh', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', { pauseAfterFailures: 2 });
  const outcomes = [RunState.RUN_STATE_FAILED, RunState.RUN_STATE_SUCCEEDED, RunState.RUN_STATE_FAILED, RunState.RUN_STATE_FAILED];
  for (const [index, outcome] of outcomes.entries()) {
    await at(`2027-01-0${index + 2}T01:30:00Z`);
    await runsEnd(schedule, outcome);
    await at(`2027-01-0${index + 2}T02:30:00Z`);
  }
  const paused = await server.schedules.get({ scheduleId: schedule.id });
  expect(paused.failures).toBe(2);
  expect(paused.pauseReason).toMatch(/2 failures in a row.*The GPU is full/);
  expect(paused.latestTick?.outcome).toBe('Failed: The GPU is full (OUT_OF_MEMORY).');
  await at('2027-01-06T01:30:00Z');
  expect((await lines(schedule)).at(-1) ?? '').toMatch(/2027-01-06T01:30 SKIPPED PAUSED/);
  const resumed = await server.schedules.resume({ scheduleId: schedule.id });
  expect([resumed.pausedAt, resumed.failures]).toStrictEqual([undefined, 0]);
  await at('2027-01-07T01:30:00Z');
  expect((await lines(schedule)).at(-1) ?? '').toMatch(/2027-01-07T01:30 RUNNING/);
});

test('a run past its deadline is cancelled, and the tick says why', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z', { deadlineSeconds: 3_600 });
  await at('2027-01-02T01:30:00Z');
  await at('2027-01-02T02:29:59Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
  await at('2027-01-02T02:30:00Z');
  await at('2027-01-02T02:30:01Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 FAILED DEADLINE']);
  const [tick] = await ticks(schedule);
  expect(tick?.message ?? '').toMatch(/had not ended 3600 s after its fire/);
  expect((await server.runs.get({ runId: tick?.runId ?? '' })).state).toBe(RunState.RUN_STATE_CANCELLED);
});

test('runs on what was added since the last success, and on nothing when that is too little', async () => {
  add(inbox, 0, 3);
  const id = await dataset('inbox', inbox);
  const inputs = [{ role: 'images', datasetId: id, refresh: true, onlyNew: true, minimumItems: 2 }];
  const schedule = await nightly('2027-01-01T12:00:00Z', { inputs });
  const night = async (day: number): Promise<Tick | undefined> => {
    const moment = `2027-01-0${day}T01:30:0`;
    // The end of the last run, the start of the import, and what comes after it.
    await at(`${moment}0Z`);
    await at(`${moment}2Z`);
    await imported(id);
    await at(`${moment}5Z`);
    return (await ticks(schedule)).at(-1);
  };
  const itemsOf = async (tick: Tick | undefined): Promise<number> =>
    (await server.runs.get({ runId: tick?.runId ?? '' })).inputs[0]?.items ?? 0;

  expect(await itemsOf(await night(2)), 'at first all images are new').toBe(3);
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  add(inbox, 3, 4);
  const third = await night(3);
  expect([third?.state, third?.reason]).toStrictEqual([TickState.TICK_STATE_SKIPPED, TickReason.TICK_REASON_TOO_FEW_IMAGES]);
  expect(third?.message ?? '').toMatch(/^1 image has been added to "inbox" since .* at least 2/);
  expect(third?.outcome ?? '').toMatch(/^Skipped: 1 image has been added to "inbox" since .* at least 2\.$/);
  add(inbox, 4, 6);
  expect(await itemsOf(await night(4)), 'those of the skipped night count too').toBe(3);
  await runsEnd(schedule, RunState.RUN_STATE_FAILED);
  expect(await itemsOf(await night(5)), 'a failure has not used them up').toBe(3);
  await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  expect((await night(6))?.message ?? '').toMatch(/^Nothing has been added to "inbox"/);
  expect((await server.datasets.readyVersion(id)).items, 'the latest version is the whole one').toBe(6);
});

test('a source that cannot be imported fails the fire, with the reason', async () => {
  const gone = path.join(folder, 'gone');
  add(gone, 0, 2);
  const id = await dataset('gone', gone);
  const schedule = await nightly('2027-01-01T12:00:00Z', { inputs: [{ role: 'images', datasetId: id, refresh: true }] });
  rmSync(gone, { recursive: true });
  await at('2027-01-02T01:30:00Z');
  await until(
    () => server.datasets.get({ datasetId: id }),
    ({ latest }) => latest?.state === VersionState.VERSION_STATE_FAILED,
  );
  await at('2027-01-02T01:30:05Z');
  const [tick] = await ticks(schedule);
  expect([tick?.state, tick?.reason]).toStrictEqual([TickState.TICK_STATE_FAILED, TickReason.TICK_REASON_REFUSED]);
  expect(tick?.message ?? '').toMatch(/"gone" could not be imported/);
});

test('a back-fill fires for what has not fired, one after the other, and once when it is asked for twice', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  await at('2027-01-04T12:00:00Z');
  await server.schedules.trigger({ scheduleId: schedule.id, requestId: '' });
  const request = {
    scheduleId: schedule.id,
    requestId: randomUUID(),
    start: new Date('2027-01-03T01:30:00Z'),
    end: new Date('2027-01-04T01:30:01Z'),
  };
  const [first, second] = [await server.schedules.backfill(request), await server.schedules.backfill(request)];
  expect(first.ticks.map(({ nominalAt }) => nominalAt?.toISOString().slice(0, 10))).toStrictEqual(['2027-01-03', '2027-01-04']);
  expect(second.ticks.map(({ id }) => id)).toStrictEqual(first.ticks.map(({ id }) => id));
  for (let round = 0; round < 3; round++) {
    await at(`2027-01-04T12:00:0${round + 1}Z`);
    await runsEnd(schedule, RunState.RUN_STATE_SUCCEEDED);
  }
  await at('2027-01-04T12:00:09Z');
  expect((await lines(schedule)).filter((line) => line.includes('SUCCEEDED'))).toStrictEqual([
    '2027-01-03T01:30 SUCCEEDED',
    '2027-01-04T01:30 SUCCEEDED',
    '2027-01-04T12:00 SUCCEEDED',
  ]);
  expect((await server.schedules.backfill({ ...request, requestId: randomUUID() })).already).toBe(2);
  await expect(server.schedules.backfill({ ...request, end: new Date('2027-02-01T00:00:00Z') })).rejects.toThrow(/future/);
});

test('killed between the run and the tick that says so, the next server finds the same run', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  clock.set('2027-01-02T01:30:00Z');
  await server.scheduler.planDue();
  // The connection dies as that of a killed server does, when the run has been made and the tick is about to say so.
  await db.query(`
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NEW; END $$`);
  await db.query(`CREATE TRIGGER die BEFORE UPDATE ON tick FOR EACH ROW WHEN (NEW.state = 'TICK_STATE_RUNNING') EXECUTE FUNCTION die()`);
  await expect(server.scheduler.fireDue()).rejects.toThrow(/terminat/);
  await db.query('DROP FUNCTION die CASCADE');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 WAITING UNAVAILABLE']);
  expect(await runCount(schedule)).toBe(1);
  await at('2027-01-02T01:30:11Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
  expect(await runCount(schedule)).toBe(1);
});

test('killed before anything but the tick is written, the next server takes it up', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  clock.set('2027-01-02T01:30:00Z');
  await server.scheduler.planDue();
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 WAITING']);
  // Hours later it is still the same tick, not a missed one.
  await at('2027-01-02T05:00:00Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
});

test('while no trainer can be reached a tick waits and says so; it fires when one is back', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  await sidecar.close();
  await at('2027-01-02T01:30:00Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 WAITING UNAVAILABLE']);
  sidecar.open();
  await until(
    () => server.trainers.list(),
    (known) => known.some(({ info }) => info !== undefined),
  );
  await at('2027-01-02T01:31:00Z');
  expect(await lines(schedule)).toStrictEqual(['2027-01-02T01:30 RUNNING']);
});

test('create and trigger are idempotent, names are unique, and what cannot be is refused at its field', async () => {
  const schedule = await nightly('2027-01-01T12:00:00Z');
  const { schedules } = server;
  clock.set('2027-01-01T12:00:01Z');
  const again = CreateScheduleRequest.fromPartial({ requestId: randomUUID(), spec: { ...schedule.spec, name: 'again' } });
  const twins = await Promise.all([schedules.create(again), schedules.create(again)]);
  expect(twins[0].id).toBe(twins[1].id);
  const trigger = { scheduleId: schedule.id, requestId: randomUUID() };
  const pressed = await Promise.all([schedules.trigger(trigger), schedules.trigger(trigger)]);
  expect(pressed[0].id).toBe(pressed[1].id);
  const refused = (spec: object, field: string): Promise<void> =>
    expect(
      schedules.create(CreateScheduleRequest.fromPartial({ spec: { ...schedule.spec, name: 'new', ...spec } })),
      field,
    ).rejects.toMatchObject({ field });
  await refused({ name: 'again' }, 'name');
  await refused({ cron: 'often' }, 'cron');
  await refused({ cron: '0 0 30 2 *' }, 'cron');
  await refused({ zone: 'Mars' }, 'zone');
  await refused({ jitterSeconds: -1 }, 'jitter_seconds');
  await refused({ inputs: [] }, 'inputs');
  await refused({ inputs: [{ role: 'images', datasetId: images, minimumItems: 3 }] }, 'inputs[0].minimum_items');
  await refused({ recipe: undefined }, 'recipe');
  const used = expect.objectContaining({ code: 'ALREADY_EXISTS', field: 'request_id' });
  await expect(schedules.create({ ...again, spec: schedule.spec })).rejects.toEqual(used);
  await expect(schedules.trigger({ ...trigger, requestId: again.requestId })).rejects.toEqual(used);
  const page = await schedules.list({ pageSize: 1, pageToken: '', filter: '', orderBy: '' });
  const rest = await schedules.list({ pageSize: 1, pageToken: page.nextPageToken, filter: '', orderBy: '' });
  expect([...page.schedules, ...rest.schedules].map(({ spec }) => spec?.name)).toStrictEqual(['again', schedule.spec?.name]);
  await schedules.delete({ scheduleId: schedule.id });
  await expect(schedules.get({ scheduleId: schedule.id })).rejects.toThrow(/no schedule/);
});
