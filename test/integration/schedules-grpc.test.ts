import { randomUUID } from 'node:crypto';
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
import { ensure, fail } from '../support/expect.js';

const product = new Product();
let server: Server;
/** Calls in Ada's name. */
let client: GrpcClient<typeof ScheduleServiceDefinition>;
let spec: ScheduleSpec;
let schedule: Schedule;

beforeAll(async () => {
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
afterAll(async () => {
  client.close();
  await product.close();
});

/** Code and field of a refusal. */
async function refusal(call: Promise<unknown>): Promise<{ code: status; field?: string; message: string }> {
  const error = await call.then(
    () => fail('it was not refused'),
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
  expect((await create({}, requestId)).id).toBe(schedule.id);
  expect(schedule.recipeDigest).toMatch(/^[0-9a-f]{64}$/);
  expect(schedule.nextAt?.toISOString() ?? '').toMatch(/-02-29T01:30:00.000Z$/);
  const never = await refusal(create({ name: 'never', cron: '0 0 30 2 *' }));
  expect([never.code, never.field]).toStrictEqual([status.INVALID_ARGUMENT, 'cron']);
  expect(never.message).toMatch(/never comes true again/);
  const nowhere = await refusal(create({ name: 'nowhere', zone: 'Mars/Olympus' }));
  expect([nowhere.code, nowhere.field]).toStrictEqual([status.INVALID_ARGUMENT, 'zone']);
  const twin = await refusal(create({}));
  expect([twin.code, twin.field]).toStrictEqual([status.ALREADY_EXISTS, 'name']);
  const unknown = await refusal(client.getSchedule({ scheduleId: randomUUID() }));
  expect([unknown.code, unknown.field]).toStrictEqual([status.NOT_FOUND, 'schedule_id']);
});

test('list and preview', async () => {
  const other = await create({ name: 'weekly', cron: '0 3 * * 1' });
  const page = await client.listSchedules(ListSchedulesRequest.fromPartial({ pageSize: 1 }));
  const rest = await client.listSchedules(ListSchedulesRequest.fromPartial({ pageToken: page.nextPageToken }));
  expect([...page.schedules, ...rest.schedules].map(({ id }) => id)).toStrictEqual([other.id, schedule.id]);
  const stored = await client.previewSchedule(PreviewScheduleRequest.fromPartial({ scheduleId: schedule.id, count: 2 }));
  expect(stored.fires.map(({ local }) => local.slice(4, 16))).toStrictEqual(['-02-29T02:30', '-02-29T02:30']);
  const after = new Date('2027-03-27T12:00:00Z');
  const request = PreviewScheduleRequest.fromPartial({ cron: '30 2 * * *', zone: 'Europe/Paris', after, count: 1 });
  const [spring] = (await client.previewSchedule(request)).fires;
  ensure(spring);
  expect(spring.local).toBe('2027-03-28T03:00:00+02:00');
  expect(spring.note).not.toBe('');
  expect((await refusal(client.previewSchedule({ ...request, count: 999 }))).field).toBe('count');
  await client.deleteSchedule({ scheduleId: other.id });
});

test('pause and resume; asked for twice they are one change', async () => {
  const pause = { scheduleId: schedule.id, reason: 'holidays' };
  for (const paused of [await client.pauseSchedule(pause), await client.pauseSchedule(pause)]) {
    expect(paused.pausedAt).toBeTruthy();
    expect(paused.pauseReason).toBe('holidays');
  }
  for (let twice = 0; twice < 2; twice++) expect((await client.resumeSchedule({ scheduleId: schedule.id })).pausedAt).toBeUndefined();
  expect(await actions()).toStrictEqual(['schedule.create', 'schedule.pause', 'schedule.resume']);
});

test('a trigger fires once per request_id, and its run can be followed from the tick', async () => {
  const trigger = { scheduleId: schedule.id, requestId: randomUUID() };
  const [first, second] = [await client.triggerSchedule(trigger), await client.triggerSchedule(trigger)];
  expect([first.id, first.origin]).toStrictEqual([second.id, TickOrigin.TICK_ORIGIN_TRIGGER]);
  const running = await until(
    async () => (await client.listTicks(ListTicksRequest.fromPartial({ scheduleId: schedule.id }))).ticks,
    ([tick]) => tick?.state !== TickState.TICK_STATE_WAITING,
  );
  expect(running).toHaveLength(1);
  const runId = running[0]?.runId ?? '';
  await server.post(`/api/runs/${runId}/cancel`, {});
  await server.ended(runId);
});

test('every change is written down with who made it, in the transaction of the change', async () => {
  const changed = { ...schedule.spec, cron: '30 3 29 2 *', priority: 5 };
  await client.updateSchedule({ scheduleId: schedule.id, spec: ScheduleSpec.fromPartial(changed), etag: schedule.etag });
  const [start, end] = [new Date('2024-01-01T00:00:00Z'), new Date('2025-01-01T00:00:00Z')];
  const backfill = BackfillScheduleRequest.fromPartial({ scheduleId: schedule.id, requestId: randomUUID(), start, end });
  for (let twice = 0; twice < 2; twice++) expect((await client.backfillSchedule(backfill)).ticks).toHaveLength(1);

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
    expect((await refusal(call())).code).toBe(status.INTERNAL);
  await product.query('DROP FUNCTION no_room CASCADE', []);
  expect((await client.getSchedule({ scheduleId: spared })).pausedAt).toBeUndefined();
  expect((await client.listSchedules(ListSchedulesRequest.fromPartial({}))).schedules).toHaveLength(1);
  expect(await product.query('SELECT id FROM tick WHERE request_id = $1', [randomUUID()])).toStrictEqual([]);

  await client.deleteSchedule({ scheduleId: spared });
  const entries = await audited();
  expect(entries.map(({ action }) => action.replace('schedule.', ''))).toStrictEqual([
    'create',
    'pause',
    'resume',
    'trigger',
    'update',
    'backfill',
    'delete',
  ]);
  expect(entries.filter(({ actor, subjectName }) => !(actor.startsWith('Ada (gRPC ') && subjectName === 'nightly'))).toStrictEqual([]);
  const details = Object.fromEntries(entries.map((entry) => [entry.action.replace('schedule.', ''), entry.details]));
  expect(details['create']?.['recipe_digest']).toBe(schedule.recipeDigest);
  expect(details['pause']?.['reason']).toBe('holidays');
  expect(details['update']?.['changed']).toBe('cron priority');
  expect([details['backfill']?.['start'], details['backfill']?.['times']]).toStrictEqual([start.toISOString(), '1']);
});
