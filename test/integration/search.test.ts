import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from '../../server/src/app.module.js';
import { AuditService } from '../../server/src/audit/audit.service.js';
import { EvaluationsService } from '../../server/src/evaluations/evaluations.service.js';
import { ListAuditEntriesRequest } from '@stic/api/gen/stic/audit/v1/audit.js';
import { ListEvaluationsRequest } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { ListGatesRequest, SetAliasRequest } from '@stic/api/gen/stic/registry/v1/registry.js';
import { RetentionPolicy } from '@stic/api/gen/stic/retention/v1/retention.js';
import { CreateEndpointRequest, ListEndpointsRequest } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { RunEntity } from '../../server/src/model/index.js';
import { recordLastMetrics } from '../../server/src/pipeline/reconciler/last-metrics.js';
import { DatabaseClock } from '../../server/src/platform/clock.js';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { once } from '../../server/src/platform/database/idempotency.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { DomainError } from '../../server/src/platform/errors.js';
import { paginate } from '../../server/src/platform/filter/index.js';
import { AliasesService } from '../../server/src/registry/aliases.service.js';
import { GatesService } from '../../server/src/registry/gates.service.js';
import { PolicyService } from '../../server/src/retention/policy.service.js';
import { runList } from '../../server/src/runs/run.list.js';
import { Secrets } from '../../server/src/webhooks/secrets.js';
import { WebhooksService } from '../../server/src/webhooks/webhooks.service.js';
import { type GatedRun, gatedRun } from './rows.js';
import { ensure, rejection } from '../support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-q-'));
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let db: DataSource;
let first: GatedRun;
let second: GatedRun;

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state') });
  db = await openDatabase({ url: postgres.url, entities, migrations });
  first = await gatedRun(db.manager, 'nightly one', {}, [{ benchmark: 'mme', value: 71, difference: 1, low: 0, high: 2 }]);
  second = await gatedRun(db.manager, 'by hand', {}, [{ benchmark: 'mme', value: 64, difference: 1, low: 0, high: 2 }]);
});
afterAll(async () => {
  await db.destroy();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

async function runs(filter: string, orderBy = 'created_at'): Promise<string[]> {
  const { page } = await paginate(db.manager.createQueryBuilder(RunEntity, 'run'), runList, {
    pageSize: 0,
    pageToken: '',
    filter,
    orderBy,
  });
  return page.map(({ name }) => name);
}

async function refused(work: Promise<unknown>, code: string, field: string): Promise<void> {
  const error = await rejection(work, DomainError);
  expect([error.code, error.field], error.message).toStrictEqual([code, field]);
}

const points = (...values: [string, number, number][]): { name: string; step: number; value: number }[] =>
  values.map(([name, step, value]) => ({ name, step, value }));

test('runs are found and ordered by the last visible value of a metric', async () => {
  const one = { runId: first.run.id, attempt: 1 };
  await recordLastMetrics(db.manager, one, points(['dpo/loss', 1, 0.9], ['dpo/loss', 3, 0.5], ['dpo/margin', 3, 2]));
  await recordLastMetrics(db.manager, { runId: second.run.id, attempt: 1 }, points(['dpo/loss', 3, 0.7]));
  expect(await runs('metrics.dpo/loss < 0.6')).toStrictEqual(['nightly one']);
  expect(await runs('', 'metrics.dpo/loss desc')).toStrictEqual(['by hand', 'nightly one']);
  expect(await runs('metrics:dpo/margin')).toStrictEqual(['nightly one']);
  expect(await runs('NOT metrics.dpo/margin >= 0')).toStrictEqual(['by hand']);

  // A resumed attempt goes over steps again: until it has got as far, the earlier one's last point is the visible one.
  await recordLastMetrics(db.manager, { ...one, attempt: 2 }, points(['dpo/loss', 2, 0.1]));
  expect(await runs('metrics.dpo/loss = 0.5')).toStrictEqual(['nightly one']);
  await recordLastMetrics(db.manager, { ...one, attempt: 2 }, points(['dpo/loss', 3, 0.2], ['dpo/loss', 4, Number.NaN]));
  expect(await runs('metrics.dpo/loss = 0.2')).toStrictEqual(['nightly one']);
  await recordLastMetrics(db.manager, one, points(['dpo/loss', 3, 0.5]));
  expect(await runs('metrics.dpo/loss = 0.2'), 'a late batch of the earlier attempt changes nothing').toStrictEqual(['nightly one']);
});

test('runs are found by what is around them: scores, datasets, recipe, time', async () => {
  const cases: [string, string[]][] = [
    ['scores.mme >= 70', ['nightly one']],
    ['dataset = mme AND preset = paper AND model : llava', ['nightly one', 'by hand']],
    ['dataset = pope', []],
    ['-dataset = pope', ['nightly one', 'by hand']],
    ['NIGHT', ['nightly one']],
    ['state = RUNNING AND (name = by* OR scores.mme > 70)', ['nightly one', 'by hand']],
    ['ended_at = null AND created_at > 2026-01-01', ['nightly one', 'by hand']],
    ['schedule:*', []],
    ['requires.labels.gpu = h100', []],
    ['duration > 1h', []],
  ];
  for (const [filter, names] of cases) expect(await runs(filter), filter).toStrictEqual(names);
  expect(await runs('', 'scores.mme, name desc')).toStrictEqual(['by hand', 'nightly one']);
});

test('every list takes a filter and an order', async () => {
  const evaluations = new EvaluationsService(db);
  const found = await evaluations.list(
    ListEvaluationsRequest.fromPartial({ filter: 'value > 70 AND primary = true', orderBy: 'value desc' }),
  );
  expect(found.evaluations.map(({ score }) => score?.value)).toStrictEqual([71]);
  const gates = new GatesService(db);
  const waiting = await gates.list(ListGatesRequest.fromPartial({ filter: 'state = WAITING AND run : hand' }));
  expect(waiting.gates.map(({ runName }) => runName)).toStrictEqual(['by hand']);
  await refused(gates.list(ListGatesRequest.fromPartial({ filter: 'state = GONE' })), 'INVALID_ARGUMENT', 'filter');
  await refused(gates.list(ListGatesRequest.fromPartial({ orderBy: 'run' })), 'INVALID_ARGUMENT', 'order_by');
  const log = new AuditService(db);
  await refused(log.list(ListAuditEntriesRequest.fromPartial({ action: 'a\0' })), 'INVALID_ARGUMENT', 'action');
});

test('an endpoint is made once per request_id, with its secret, and a stale etag is refused', async () => {
  const webhooks = new WebhooksService(db, new Secrets({ secretKey: randomBytes(32), state: folder }), { webhooksAllowPrivate: true });
  const request = CreateEndpointRequest.fromPartial({ requestId: randomUUID(), url: 'https://lab.example/hook', events: ['run.failed'] });
  const twins = await Promise.all([webhooks.create(request), webhooks.create(request)]);
  expect(twins[0]).toStrictEqual(twins[1]);
  expect(twins[0].secret).toMatch(/^whsec_/);
  await refused(webhooks.create({ ...request, url: 'https://lab.example/other' }), 'ALREADY_EXISTS', 'request_id');
  const { endpoint } = twins[0];
  ensure(endpoint);
  await refused(webhooks.test({ endpointId: endpoint.id, requestId: request.requestId }), 'ALREADY_EXISTS', 'request_id');
  const test = { endpointId: endpoint.id, requestId: randomUUID() };
  expect((await webhooks.test(test)).id).toBe((await webhooks.test(test)).id);

  const change = { endpointId: endpoint.id, url: endpoint.url, description: 'mine', events: endpoint.events, enabled: true };
  const changed = await webhooks.update({ ...change, etag: endpoint.etag });
  await refused(webhooks.update({ ...change, description: 'yours', etag: endpoint.etag }), 'FAILED_PRECONDITION', 'etag');
  expect((await webhooks.update({ ...change, enabled: false, etag: changed.etag })).enabled).toBe(false);

  const rotate = { endpointId: endpoint.id, requestId: randomUUID() };
  expect((await webhooks.rotate(rotate)).secret).toBe((await webhooks.rotate(rotate)).secret);
  await refused(webhooks.create(request), 'FAILED_PRECONDITION', 'request_id');
  const list = (filter: string): Promise<number> =>
    webhooks.list(ListEndpointsRequest.fromPartial({ filter })).then(({ endpoints }) => endpoints.length);
  expect([await list('events:run.failed enabled = false'), await list('events:approval'), await list('mine')]).toStrictEqual([1, 0, 1]);
});

test('a repeated SetAlias moves once, and the retention policy keeps to its etag', async () => {
  const aliases = new AliasesService(db);
  const request = SetAliasRequest.fromPartial({ requestId: randomUUID(), checkpointId: first.checkpointId, reason: 'best' });
  const [move, again] = [await aliases.set(request), await aliases.set(request)];
  expect([again.alias?.version, again.move?.number]).toStrictEqual([1, move.move?.number]);
  await refused(aliases.set({ ...request, checkpointId: second.checkpointId }), 'ALREADY_EXISTS', 'request_id');

  const policies = new PolicyService(db, new DatabaseClock(db));
  const [usual, change] = [await policies.get(), { ...(await policies.get()), hour: 5 }];
  const stored = await policies.set({ policy: RetentionPolicy.fromPartial(change) });
  expect(stored.etag).not.toBe(usual.etag);
  await refused(policies.set({ policy: RetentionPolicy.fromPartial({ ...change, hour: 6 }) }), 'FAILED_PRECONDITION', 'etag');
  expect((await policies.set({ policy: RetentionPolicy.fromPartial({ ...change, hour: 6, etag: '' }) })).hour).toBe(6);
});

test('work is done once however many ask at once, and a failure leaves the id free', async () => {
  const request = { requestId: randomUUID(), name: 'a', at: new Date(0) };
  const keyed = { method: 'Test', request };
  let done = 0;
  const work = (): Promise<string> => Promise.resolve(`result ${(done += 1)}`);
  await expect(once(db, keyed, () => Promise.reject(new Error('no')))).rejects.toThrow(/no/);
  const turned = { at: request.at, name: request.name, requestId: request.requestId };
  const results = await Promise.all([1, 2, 3, 4].map(() => once(db, keyed, work)));
  expect(new Set(results).size).toBe(1);
  expect(await once(db, { method: 'Test', request: turned }, work)).toBe(results[0]);
  const other = { ...request, name: 'b' };
  await refused(once(db, { method: 'Test', request: other }, work), 'ALREADY_EXISTS', 'request_id');
  await refused(once(db, { ...keyed, method: 'Other' }, work), 'ALREADY_EXISTS', 'request_id');
  const without = { method: 'Test', request: { requestId: '' } };
  expect(await once(db, without, work)).not.toBe(await once(db, without, work));
});

test('requests and metrics of before keep their results through the migration', async () => {
  await db.query('CREATE DATABASE earlier');
  const url = postgres.url.replace(/[^/]+$/, 'earlier');
  const index = migrations.findIndex(({ name }) => name.startsWith('Search'));
  const earlier = await openDatabase({ url, entities: [], migrations: migrations.slice(0, index) });
  const [runId, stageId] = [randomUUID(), randomUUID()];
  await earlier.query(
    `INSERT INTO run (id, request_id, name, state, recipe, recipe_digest, created_at) VALUES ($1, 'asked', 'old', 'RUN_STATE_FAILED', '{}', '', now())`,
    [runId],
  );
  await earlier.query(`INSERT INTO stage (id, run_id, position, kind, state, after) VALUES ($1, $2, 0, 'STAGE_KIND_DPO', 'x', '[]')`, [
    stageId,
    runId,
  ]);
  for (const [number, step, value] of [
    [1, 3, 0.5],
    [2, 2, 0.4],
    [2, 3, 0.3],
  ] as const) {
    const attempt = await earlier.query<{ id: string }[]>(
      `INSERT INTO attempt (id, stage_id, number, state, trainer) VALUES (gen_random_uuid(), $1, $2, 'x', '')
       ON CONFLICT (stage_id, number) DO UPDATE SET trainer = '' RETURNING id`,
      [stageId, number],
    );
    await earlier.query(
      `INSERT INTO metric_point (attempt_id, seq, run_id, name, step, value) VALUES ($1, $2::bigint, $3, 'dpo/loss', $2::bigint, $4)`,
      [attempt[0]?.id, step, runId, value],
    );
  }
  await earlier.destroy();
  const now = await openDatabase({ url, entities, migrations });
  try {
    const request = { requestId: 'asked', name: 'whatever it was' };
    const keyed = { method: 'CreateRun', request };
    expect(await once(now, keyed, () => Promise.reject(new Error('not again')))).toBe(runId);
    expect(await now.query('SELECT name, step, attempt, value FROM run_metric')).toStrictEqual([
      { name: 'dpo/loss', step: 3, attempt: 2, value: 0.3 },
    ]);
    await now.undoLastMigration();
    expect(await now.query('SELECT request_id FROM run')).toStrictEqual([{ request_id: 'asked' }]);
  } finally {
    await now.destroy();
  }
});
