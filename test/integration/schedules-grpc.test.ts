import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type CallOptions, type Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Recipe } from '../../server/src/gen/stic/recipe/v1/recipe.js';
import { ListAuditEntriesResponse, type AuditEntry } from '../../server/src/gen/stic/registry/v1/audit.js';
import {
  BackfillScheduleRequest,
  CreateScheduleRequest,
  ListSchedulesRequest,
  ListTicksRequest,
  OverlapPolicy,
  PreviewScheduleRequest,
  type Schedule,
  ScheduleServiceClient,
  ScheduleSpec,
  TickOrigin,
  TickState,
} from '../../server/src/gen/stic/schedules/v1/schedules.js';
import { DatasetKind } from '../../server/src/gen/stic/trainer/v1/trainer.js';
import { ERROR_TRAILER } from '../../server/src/platform/transport/grpc-errors.js';
import { Product, type Server, until } from '../support/product.js';

const product = new Product();
let server: Server;
let client: ScheduleServiceClient;
let spec: ScheduleSpec;
let schedule: Schedule;

before(async () => {
  server = await product.start();
  const world = await product.world(4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  client = new ScheduleServiceClient(server.grpc, credentials.createInsecure());
  spec = ScheduleSpec.fromPartial({
    name: 'nightly',
    // Never while the test runs: only what is asked for fires.
    cron: '30 2 29 2 *',
    zone: 'Europe/Paris',
    recipe: Recipe.fromJSON(await server.smallRecipe()),
    inputs: [{ role: 'images', datasetId: images.id }],
    overlap: OverlapPolicy.OVERLAP_POLICY_QUEUE,
  });
});
after(async () => {
  client.close();
  await product.close();
});

/** The service's methods; of their overloads the one with all parameters counts. */
type Name = Exclude<keyof ScheduleServiceClient, keyof Client>;
type Asked<N extends Name> = Parameters<ScheduleServiceClient[N]>[0];
type Told<N extends Name> = Parameters<Parameters<ScheduleServiceClient[N]>[3]>[1];
type Method<N extends Name> = (
  this: ScheduleServiceClient,
  request: Asked<N>,
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, response: Told<N>) => void,
) => unknown;

/** One call in Ada's name. */
function ask<N extends Name>(name: N, request: Asked<N>): Promise<Told<N>> {
  const metadata = new Metadata();
  metadata.set('stic-actor', 'Ada');
  const options = { deadline: Date.now() + 120_000 };
  return new Promise((resolve, reject) => {
    (client[name] as Method<N>).call(client, request, metadata, options, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** Code and field of a refusal. */
async function refusal(call: Promise<unknown>): Promise<{ code: status; field?: string; message: string }> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown as ServiceError,
  );
  const [trailer] = error.metadata.get(ERROR_TRAILER);
  const { field, message } = JSON.parse(String(trailer)) as { field?: string; message: string };
  return { code: error.code, message, ...(field === undefined ? {} : { field }) };
}

const create = (change: Partial<ScheduleSpec>, requestId = ''): Promise<Schedule> =>
  ask('createSchedule', CreateScheduleRequest.fromPartial({ requestId, spec: { ...spec, ...change } }));

/** What has been written down about the schedule, the oldest first. */
async function audited(): Promise<AuditEntry[]> {
  return ListAuditEntriesResponse.fromJSON(await server.get(`/api/audit?subject_id=${schedule.id}`)).entries.reverse();
}
const actions = async (): Promise<string[]> => (await audited()).map(({ action }) => action);

test('create is idempotent, and what cannot be is refused with its code and field', async () => {
  const requestId = randomUUID();
  schedule = await create({}, requestId);
  assert.equal((await create({}, requestId)).id, schedule.id);
  assert.match(schedule.recipeDigest, /^[0-9a-f]{64}$/);
  assert.match(schedule.nextAt?.toISOString() ?? '', /-02-29T01:30:00.000Z$/);
  const never = await refusal(create({ name: 'never', cron: '0 0 30 2 *' }));
  assert.deepEqual([never.code, never.field], [status.INVALID_ARGUMENT, 'cron']);
  assert.match(never.message, /never comes true again/);
  const nowhere = await refusal(create({ name: 'nowhere', zone: 'Mars/Olympus' }));
  assert.deepEqual([nowhere.code, nowhere.field], [status.INVALID_ARGUMENT, 'zone']);
  const twin = await refusal(create({}));
  assert.deepEqual([twin.code, twin.field], [status.ALREADY_EXISTS, 'name']);
  const unknown = await refusal(ask('getSchedule', { scheduleId: randomUUID() }));
  assert.deepEqual([unknown.code, unknown.field], [status.NOT_FOUND, 'schedule_id']);
});

test('list and preview', async () => {
  const other = await create({ name: 'weekly', cron: '0 3 * * 1' });
  const page = await ask('listSchedules', ListSchedulesRequest.fromPartial({ pageSize: 1 }));
  const rest = await ask('listSchedules', ListSchedulesRequest.fromPartial({ pageToken: page.nextPageToken }));
  assert.deepEqual(
    [...page.schedules, ...rest.schedules].map(({ id }) => id),
    [other.id, schedule.id],
  );
  const stored = await ask('previewSchedule', PreviewScheduleRequest.fromPartial({ scheduleId: schedule.id, count: 2 }));
  assert.deepEqual(
    stored.fires.map(({ local }) => local.slice(4, 16)),
    ['-02-29T02:30', '-02-29T02:30'],
  );
  const after = new Date('2027-03-27T12:00:00Z');
  const request = PreviewScheduleRequest.fromPartial({ cron: '30 2 * * *', zone: 'Europe/Paris', after, count: 1 });
  const [spring] = (await ask('previewSchedule', request)).fires;
  assert.equal(spring?.local, '2027-03-28T03:00:00+02:00');
  assert.notEqual(spring.note, '');
  assert.equal((await refusal(ask('previewSchedule', { ...request, count: 999 }))).field, 'page_size');
  await ask('deleteSchedule', { scheduleId: other.id });
});

test('pause and resume; asked for twice they are one change', async () => {
  const pause = { scheduleId: schedule.id, reason: 'holidays' };
  for (const paused of [await ask('pauseSchedule', pause), await ask('pauseSchedule', pause)]) {
    assert.ok(paused.pausedAt);
    assert.equal(paused.pauseReason, 'holidays');
  }
  for (let twice = 0; twice < 2; twice++) assert.equal((await ask('resumeSchedule', { scheduleId: schedule.id })).pausedAt, undefined);
  assert.deepEqual(await actions(), ['schedule.create', 'schedule.pause', 'schedule.resume']);
});

test('a trigger fires once per request_id, and its run can be followed from the tick', async () => {
  const trigger = { scheduleId: schedule.id, requestId: randomUUID() };
  const [first, second] = [await ask('triggerSchedule', trigger), await ask('triggerSchedule', trigger)];
  assert.deepEqual([first.id, first.origin], [second.id, TickOrigin.TICK_ORIGIN_TRIGGER]);
  const running = await until(
    async () => (await ask('listTicks', ListTicksRequest.fromPartial({ scheduleId: schedule.id }))).ticks,
    ([tick]) => tick?.state !== TickState.TICK_STATE_WAITING,
  );
  assert.equal(running.length, 1);
  const runId = running[0]?.runId ?? '';
  await server.post(`/api/runs/${runId}/cancel`, {});
  await server.ended(runId);
});

test('every change is written down with who made it, in the transaction of the change', async () => {
  const changed = { ...schedule.spec, cron: '30 3 29 2 *', priority: 5 };
  await ask('updateSchedule', { scheduleId: schedule.id, spec: ScheduleSpec.fromPartial(changed) });
  const [start, end] = [new Date('2024-01-01T00:00:00Z'), new Date('2025-01-01T00:00:00Z')];
  const backfill = BackfillScheduleRequest.fromPartial({ scheduleId: schedule.id, requestId: randomUUID(), start, end });
  for (let twice = 0; twice < 2; twice++) assert.equal((await ask('backfillSchedule', backfill)).ticks.length, 1);

  // The log cannot be written: nothing is changed.
  await product.query(
    `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the log is full'; END $$`,
    [],
  );
  await product.query('CREATE TRIGGER log_full BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_room()', []);
  const spared = schedule.id;
  for (const call of [
    (): Promise<unknown> => ask('pauseSchedule', { scheduleId: spared, reason: '' }),
    (): Promise<unknown> => ask('deleteSchedule', { scheduleId: spared }),
    (): Promise<unknown> => ask('triggerSchedule', { scheduleId: spared, requestId: 'lost' }),
    (): Promise<unknown> => create({ name: 'lost' }),
  ])
    assert.equal((await refusal(call())).code, status.INTERNAL);
  await product.query('DROP FUNCTION no_room CASCADE', []);
  assert.equal((await ask('getSchedule', { scheduleId: spared })).pausedAt, undefined);
  assert.equal((await ask('listSchedules', ListSchedulesRequest.fromPartial({}))).schedules.length, 1);
  assert.deepEqual(await product.query('SELECT id FROM tick WHERE request_id = $1', ['lost']), []);

  await ask('deleteSchedule', { scheduleId: spared });
  const entries = await audited();
  assert.deepEqual(
    entries.map(({ action }) => action.replace('schedule.', '')),
    ['create', 'pause', 'resume', 'trigger', 'update', 'backfill', 'delete'],
  );
  assert.ok(entries.every(({ actor, subjectName }) => actor.startsWith('Ada (gRPC ') && subjectName === 'nightly'));
  const details = Object.fromEntries(entries.map((entry) => [entry.action.replace('schedule.', ''), entry.details]));
  assert.equal(details['create']?.['recipe_digest'], schedule.recipeDigest);
  assert.equal(details['pause']?.['reason'], 'holidays');
  assert.equal(details['update']?.['changed'], 'cron priority');
  assert.deepEqual([details['backfill']?.['start'], details['backfill']?.['times']], [start.toISOString(), '1']);
});
