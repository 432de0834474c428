import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { AuditEntryEntity } from '../../server/src/audit/index.js';
import { type RetentionApplication, RetentionPolicy } from '@stic/api/gen/stic/retention/v1/retention.js';
import { DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { TickOrigin, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { CheckpointEntity } from '../../server/src/model/index.js';
import { Clock } from '../../server/src/platform/clock.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { advisoryLock } from '../../server/src/platform/database/locks.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import { PolicyService } from '../../server/src/retention/policy.service.js';
import { RetentionService } from '../../server/src/retention/retention.service.js';
import { ScheduleEntity, TickEntity } from '../../server/src/schedules/schedule.entity.js';
import { WebhookDeliveryEntity, WebhookEndpointEntity } from '../../server/src/webhooks/webhook.entity.js';
import { endedRun } from './rows.js';
import { ensure } from '../support/expect.js';

/** Stands still until a test moves it. */
class TestClock extends Clock {
  private time = new Date(0);

  now(): Promise<Date> {
    return Promise.resolve(this.time);
  }

  set(moment: string): void {
    this.time = new Date(moment);
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-n-'));
const clock = new TestClock();
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let store: ArtifactStore;
let db: DataSource;
let policies: PolicyService;
/** Servers on one database. */
let servers: { db: DataSource; retention: RetentionService }[] = [];

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state') });
  store = await ArtifactStore.open(path.join(folder, 'store'));
  const databases = [await connected(), await connected()];
  servers = databases.map((one) => ({ db: one, retention: new RetentionService(one, store, clock) }));
  [db] = databases as [DataSource];
  policies = new PolicyService(db, clock);
});
afterAll(async () => {
  for (const server of servers) await server.db.destroy();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

const connected = (): Promise<DataSource> => openDatabase({ url: postgres.url, entities, migrations });

const nightly = RetentionPolicy.fromPartial({
  rules: { keepDays: 30 },
  enabled: true,
  hour: 4,
  zone: 'Europe/Paris',
  deliveryDays: 10,
  skippedTickDays: 10,
});

/** Both servers look at the moment, at the same time; how many of them have applied the policy. */
async function at(moment: string): Promise<number> {
  clock.set(moment);
  const applied = await Promise.all(servers.map(({ retention }) => retention.applyDue()));
  return applied.filter(Boolean).length;
}

async function applications(): Promise<RetentionApplication[]> {
  return (await policies.applications({ pageSize: 200, pageToken: '', filter: '', orderBy: '' })).applications;
}

/** A checkpoint of this age with files of 5 bytes; the digest of these. */
async function checkpoint(name: string, createdAt: string): Promise<{ id: string; digest: string }> {
  const sha256 = createHash('sha256').update(name).digest('hex');
  const digest = createHash('sha256').update(`${sha256}  adapter.bin\n`).digest('hex');
  mkdirSync(store.treePath(digest), { recursive: true });
  writeFileSync(path.join(store.treePath(digest), 'adapter.bin'), 'bytes');
  utimesSync(store.treePath(digest), new Date('2025-01-01'), new Date('2025-01-01'));
  return { id: await endedRun(db.manager, name, digest, new Date(createdAt)), digest };
}

const isGone = async (id: string): Promise<boolean> => (await db.manager.findOneByOrFail(CheckpointEntity, { id })).deletedAt !== null;

test('it is off until somebody switches it on, and what cannot be is refused at its field', async () => {
  const { enabled, nextAt } = await policies.get();
  expect([enabled, nextAt]).toStrictEqual([false, undefined]);
  expect(await at('2027-01-01T03:00:00Z')).toBe(0);
  const refused = (change: object, field: string): Promise<void> =>
    expect(policies.set({ policy: { ...nightly, ...change } }), field).rejects.toMatchObject({ field });
  await refused({ hour: 24 }, 'hour');
  await refused({ zone: 'Mars' }, 'zone');
  await refused({ deliveryDays: -1 }, 'delivery_days');
  await refused({ rules: undefined }, 'rules');
  await refused({ rules: { keepDays: -1, keepLastPerSchedule: 0, keepBestPerBenchmark: 0, keepNone: false } }, 'rules.keep_days');
  const nothing = { keepDays: 0, keepLastPerSchedule: 0, keepBestPerBenchmark: 0, keepNone: false };
  await refused({ rules: nothing }, 'rules');
  expect((await policies.set({ policy: { ...nightly, rules: { ...nothing, keepNone: true } } })).rules?.keepNone).toBe(true);
  await policies.set({ policy: { ...nightly, enabled: false } });
  expect(await at('2027-01-05T03:00:00Z')).toBe(0);
  expect(await applications()).toStrictEqual([]);
});

test('at its hour one of two servers applies it, records it and writes it down', async () => {
  const [old, young] = [await checkpoint('old', '2026-11-01T00:00:00Z'), await checkpoint('young', '2026-12-20T00:00:00Z')];
  await forgettable();
  clock.set('2027-01-09T12:00:00Z');
  const { nextAt } = await policies.set({ policy: nightly });
  expect(nextAt?.toISOString()).toBe('2027-01-10T03:00:00.000Z');
  expect(await at('2027-01-10T02:59:59Z')).toBe(0);
  expect(await at('2027-01-10T03:00:00Z')).toBe(1);
  expect(await at('2027-01-10T03:00:01Z')).toBe(0);

  expect([await isGone(old.id), await isGone(young.id)]).toStrictEqual([true, false]);
  expect([existsSync(store.treePath(old.digest)), existsSync(store.treePath(young.digest))]).toStrictEqual([false, true]);
  const [application, ...others] = await applications();
  expect(others).toStrictEqual([]);
  ensure(application);
  expect(application.deleted).toStrictEqual([{ checkpointId: old.id, name: 'stage1 of old', bytes: 5n }]);
  expect([application.freed, application.deliveries, application.ticks]).toStrictEqual([5n, 2, 1]);
  expect([application.actor, application.at]).toStrictEqual(['stic', new Date('2027-01-10T03:00:00Z')]);
  expect((await policies.get()).nextAt?.toISOString()).toBe('2027-01-11T03:00:00.000Z');

  const deliveries = await db.manager.find(WebhookDeliveryEntity, { order: { eventType: 'ASC' } });
  expect(deliveries.map(({ eventType }) => eventType)).toStrictEqual(['old and on its way', 'young and delivered']);
  const ticks = await db.manager.find(TickEntity, { order: { nominalAt: 'ASC' } });
  expect(ticks.map(({ message }) => message)).toStrictEqual(['old and fired', 'the latest']);
  const written = await db.manager.find(AuditEntryEntity, { order: { at: 'ASC' } });
  const actions = written.map(({ action }) => action);
  expect([...new Set(actions)].sort()).toStrictEqual(['checkpoint.delete', 'retention.apply', 'retention.set_policy']);
  const applied = written.find(({ action }) => action === 'retention.apply');
  expect([applied?.actor, applied?.subjectId, applied?.details['checkpoints']]).toStrictEqual(['stic', application.id, '1']);
});

test('while a backup holds the files it waits, and nights that were missed are made good once', async () => {
  const { id } = await checkpoint('later', '2026-11-01T00:00:00Z');
  const backup = new pg.Client({ connectionString: postgres.url });
  await backup.connect();
  await backup.query('SELECT pg_advisory_lock_shared($1)', [advisoryLock.files]);
  expect(await at('2027-01-14T12:00:00Z')).toBe(0);
  expect(await isGone(id)).toBe(false);
  await backup.end();
  expect(await at('2027-01-14T12:00:30Z')).toBe(1);
  expect(await isGone(id)).toBe(true);
  expect(await at('2027-01-14T12:01:00Z')).toBe(0);
  expect((await policies.get()).nextAt?.toISOString()).toBe('2027-01-15T03:00:00.000Z');
});

test('a clock that was ahead and is set back does not put it off for long', async () => {
  expect(await at('2027-06-01T12:00:00Z')).toBe(1);
  expect(await at('2027-01-14T12:02:00Z')).toBe(1);
  expect((await policies.get()).nextAt?.toISOString()).toBe('2027-01-15T03:00:00.000Z');
});

test('a night that cannot be written down deletes nothing', async () => {
  const { id, digest } = await checkpoint('spared', '2026-11-01T00:00:00Z');
  await db.query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the log is full'; END $$`);
  await db.query('CREATE TRIGGER log_full BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_room()');
  clock.set('2027-01-15T03:00:00Z');
  await expect(servers[0]?.retention.applyDue() ?? Promise.resolve()).rejects.toThrow(/the log is full/);
  expect([await isGone(id), existsSync(store.treePath(digest))]).toStrictEqual([false, true]);
  await db.query('DROP FUNCTION no_room CASCADE');
  expect(await at('2027-01-15T03:01:00Z')).toBe(1);
  expect(await isGone(id)).toBe(true);
});

/** Deliveries and ticks of all kinds, before and after the tenth day before 2027-01-10. */
async function forgettable(): Promise<void> {
  const [endpointId, scheduleId] = [randomUUID(), randomUUID()];
  const [old, young] = [new Date('2026-12-01T00:00:00Z'), new Date('2027-01-08T00:00:00Z')];
  await db.manager.insert(WebhookEndpointEntity, {
    ...{ id: endpointId, url: 'https://example.org', description: '', events: [], enabled: true },
    ...{ secret: '', secretFingerprint: '', keyId: 'other', createdAt: old },
  });
  const { DELIVERY_STATE_DELIVERED, DELIVERY_STATE_FAILED, DELIVERY_STATE_PENDING } = DeliveryState;
  const delivery = (eventType: string, state: DeliveryState, createdAt: Date): Promise<unknown> =>
    db.manager.insert(WebhookDeliveryEntity, { id: randomUUID(), endpointId, eventType, state, payload: '{}', createdAt });
  await delivery('old and delivered', DELIVERY_STATE_DELIVERED, old);
  await delivery('old and given up', DELIVERY_STATE_FAILED, old);
  await delivery('old and on its way', DELIVERY_STATE_PENDING, old);
  await delivery('young and delivered', DELIVERY_STATE_DELIVERED, young);

  const times = { decidedAt: old, createdAt: old, updatedAt: old };
  await db.manager.insert(ScheduleEntity, { id: scheduleId, name: 'nightly', spec: {}, recipeDigest: '', ...times });
  const tick = (message: string, state: TickState, day: number): Promise<unknown> => {
    const nominalAt = new Date(Date.UTC(2026, 11, day));
    const moments = { nominalAt, dueAt: nominalAt, takenAt: nominalAt, lookAt: nominalAt, endedAt: nominalAt };
    return db.manager.insert(TickEntity, {
      ...{ id: randomUUID(), scheduleId, origin: TickOrigin.TICK_ORIGIN_CLOCK, state, message, ...moments },
    });
  };
  await tick('old and skipped', TickState.TICK_STATE_SKIPPED, 1);
  await tick('old and fired', TickState.TICK_STATE_SUCCEEDED, 2);
  await tick('the latest', TickState.TICK_STATE_SKIPPED, 3);
}
