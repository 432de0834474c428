import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ListAuditEntriesResponse, type AuditEntry } from '@stic/api/gen/stic/audit/v1/audit.js';
import {
  BackfillScheduleRequest,
  CreateScheduleRequest,
  ListSchedulesRequest,
  ListTicksRequest,
  OverlapPolicy,
  PreviewScheduleRequest,
  type Schedule,
  ScheduleServiceDefinition,
  ScheduleSpec,
  TickOrigin,
  TickState,
} from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { type GrpcClient, grpcClient } from '@stic/api/grpc.js';
import { fromGrpcError } from '../../server/src/platform/transport/grpc-errors.js';
import { Product, type Server, until } from '../support/product.js';

const product = new Product();
let server: Server;
/** Calls in Ada's name. */
let client: GrpcClient<typeof ScheduleServiceDefinition>;
let spec: ScheduleSpec;
let schedule: Schedule;

before(async () => {
  server = await product.start();
  const world = await product.world(4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  client = grpcClient(ScheduleServiceDefinition, server.grpc, credentials.createInsecure(), {
    deadlineMs: 120_000,
    metadata: { 'stic-actor': 'Ada' },
  });
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

/** Code and field of a refusal. */
async function refusal(call: Promise<unknown>): Promise<{ code: status; field?: string; message: string }> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown as ServiceError,
  );
  const { field, message } = fromGrpcError(error) ?? { field: undefined, message: error.details };
  return { code: error.code, message, ...(field === undefined ? {} : { field }) };
}

const create = (change: Partial<ScheduleSpec>, requestId = ''): Promise<Schedule> =>
  client.createSchedule(CreateScheduleRequest.fromPartial({ requestId, spec: { ...spec, ...change } }));

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
  const unknown = await refusal(client.getSchedule({ scheduleId: randomUUID() }));
  assert.deepEqual([unknown.code, unknown.field], [status.NOT_FOUND, 'schedule_id']);
});

test('list and preview', async () => {
  const other = await create({ name: 'weekly', cron: '0 3 * * 1' });
  const page = await client.listSchedules(ListSchedulesRequest.fromPartial({ pageSize: 1 }));
  const rest = await client.listSchedules(ListSchedulesRequest.fromPartial({ pageToken: page.nextPageToken }));
  assert.deepEqual(
    [...page.schedules, ...rest.schedules].map(({ id }) => id),
    [other.id, schedule.id],
  );
  const stored = await client.previewSchedule(PreviewScheduleRequest.fromPartial({ scheduleId: schedule.id, count: 2 }));
  assert.deepEqual(
    stored.fires.map(({ local }) => local.slice(4, 16)),
    ['-02-29T02:30', '-02-29T02:30'],
  );
  const after = new Date('2027-03-27T12:00:00Z');
  const request = PreviewScheduleRequest.fromPartial({ cron: '30 2 * * *', zone: 'Europe/Paris', after, count: 1 });
  const [spring] = (await client.previewSchedule(request)).fires;
  assert.equal(spring?.local, '2027-03-28T03:00:00+02:00');
  assert.notEqual(spring.note, '');
  assert.equal((await refusal(client.previewSchedule({ ...request, count: 999 }))).field, 'count');
  await client.deleteSchedule({ scheduleId: other.id });
});

test('pause and resume; asked for twice they are one change', async () => {
  const pause = { scheduleId: schedule.id, reason: 'holidays' };
  for (const paused of [await client.pauseSchedule(pause), await client.pauseSchedule(pause)]) {
    assert.ok(paused.pausedAt);
    assert.equal(paused.pauseReason, 'holidays');
  }
  for (let twice = 0; twice < 2; twice++) assert.equal((await client.resumeSchedule({ scheduleId: schedule.id })).pausedAt, undefined);
  assert.deepEqual(await actions(), ['schedule.create', 'schedule.pause', 'schedule.resume']);
});

test('a trigger fires once per request_id, and its run can be followed from the tick', async () => {
  const trigger = { scheduleId: schedule.id, requestId: randomUUID() };
  const [first, second] = [await client.triggerSchedule(trigger), await client.triggerSchedule(trigger)];
  assert.deepEqual([first.id, first.origin], [second.id, TickOrigin.TICK_ORIGIN_TRIGGER]);
  const running = await until(
    async () => (await client.listTicks(ListTicksRequest.fromPartial({ scheduleId: schedule.id }))).ticks,
    ([tick]) => tick?.state !== TickState.TICK_STATE_WAITING,
  );
  assert.equal(running.length, 1);
  const runId = running[0]?.runId ?? '';
  await server.post(`/api/runs/${runId}/cancel`, {});
  await server.ended(runId);
});

test('every change is written down with who made it, in the transaction of the change', async () => {
  const changed = { ...schedule.spec, cron: '30 3 29 2 *', priority: 5 };
  await client.updateSchedule({ scheduleId: schedule.id, spec: ScheduleSpec.fromPartial(changed), etag: schedule.etag });
  const [start, end] = [new Date('2024-01-01T00:00:00Z'), new Date('2025-01-01T00:00:00Z')];
  const backfill = BackfillScheduleRequest.fromPartial({ scheduleId: schedule.id, requestId: randomUUID(), start, end });
  for (let twice = 0; twice < 2; twice++) assert.equal((await client.backfillSchedule(backfill)).ticks.length, 1);

  // The log cannot be written: nothing is changed.
  await product.query(
    `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the log is full'; END $$`,
    [],
  );
  await product.query('CREATE TRIGGER log_full BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_room()', []);
  const spared = schedule.id;
  for (const call of [
    (): Promise<unknown> => client.pauseSchedule({ scheduleId: spared, reason: '' }),
    (): Promise<unknown> => client.deleteSchedule({ scheduleId: spared }),
    (): Promise<unknown> => client.triggerSchedule({ scheduleId: spared, requestId: randomUUID() }),
    (): Promise<unknown> => create({ name: randomUUID() }),
  ])
    assert.equal((await refusal(call())).code, status.INTERNAL);
  await product.query('DROP FUNCTION no_room CASCADE', []);
  assert.equal((await client.getSchedule({ scheduleId: spared })).pausedAt, undefined);
  assert.equal((await client.listSchedules(ListSchedulesRequest.fromPartial({}))).schedules.length, 1);
  assert.deepEqual(await product.query('SELECT id FROM tick WHERE request_id = $1', [randomUUID()]), []);

  await client.deleteSchedule({ scheduleId: spared });
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
