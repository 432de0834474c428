import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { DataSource, type EntityManager } from 'typeorm';
import { type RunningApp, startApp } from '../../server/src/app.js';
import { GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { type JobEvent } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { type Delivery, DeliveryState, EndpointWithSecret, ListDeliveriesResponse } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { ingest } from '../../server/src/pipeline/reconciler/event-ingest.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { Changes } from '../../server/src/platform/database/watch.js';
import { GateEntity } from '../../server/src/registry/gate.entity.js';
import { TrainerDirectory } from '../../server/src/trainers/index.js';
import { announce } from '../../server/src/webhooks/index.js';
import { gatedRun } from './rows.js';
import { problemOf } from '../support/product.js';
import { ensure } from '../support/expect.js';

type Received = { path: string; headers: IncomingHttpHeaders; body: string };

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-w-'));
const received: Received[] = [];
/** What the receiver answers, by path. */
const answers = new Map<string, number>();
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let receiver: Server;
let address = '';
const apps: RunningApp[] = [];

beforeAll(async () => {
  Logger.overrideLogger(['error']);
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state'), binaries: undefined });
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const where = request.url ?? '';
      received.push({ path: where, headers: request.headers, body });
      response.writeHead(answers.get(where) ?? 204, { location: '/elsewhere' }).end(answers.has(where) ? 'no' : '');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  // Two replicas on one database, which must not send anything twice.
  apps.push(await start('1'), await start('1'));
});
afterAll(async () => {
  for (const { app } of apps) await app.close();
  await postgres.close();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(allowPrivate: string): Promise<RunningApp> {
  const config = loadConfig({
    STIC_STATE: path.join(folder, 'state'),
    STIC_HTTP_PORT: '0',
    STIC_GRPC_PORT: '0',
    STIC_WEBHOOKS_ALLOW_PRIVATE: allowPrivate,
  });
  return startApp({ config, databaseUrl: postgres.url, trainers: TrainerDirectory.fixed(['127.0.0.1:1']) });
}

const database = (): DataSource => (apps[0] as RunningApp).app.get(DataSource);

async function call(method: string, where: string, body?: object, app = apps[0]): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${app?.httpPort ?? 0}/api/webhooks${where}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}

async function register(where: string, ...events: string[]): Promise<{ id: string; secret: string }> {
  const answer = await call('POST', '/endpoints', { url: address + where, description: 'a test', events });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { endpoint, secret } = EndpointWithSecret.fromJSON(answer.body);
  return { id: endpoint?.id ?? '', secret };
}

async function deliveries(endpointId: string): Promise<Delivery[]> {
  const answer = await call('GET', `/deliveries?endpoint_id=${endpointId}`);
  return ListDeliveriesResponse.fromJSON(answer.body).deliveries;
}

async function when(endpointId: string, holds: (all: Delivery[]) => boolean): Promise<Delivery[]> {
  for (let all = await deliveries(endpointId); ; all = await deliveries(endpointId)) {
    if (holds(all)) return all;
    await sleep(50);
  }
}

const settled = (all: Delivery[]): boolean =>
  all.length > 0 && all.every((one) => one.state !== DeliveryState.DELIVERY_STATE_PENDING || one.tries.length > 0);
const at = (where: string): Received[] => received.filter((one) => one.path === where);
const tell = (type: Parameters<typeof announce>[1], data: object): Promise<void> =>
  database().transaction((manager: EntityManager) => announce(manager, type, { ...data }));

test('what happened is delivered once, signed so that the receiver can verify it', async () => {
  const { id, secret } = await register('/good', 'run.succeeded', 'run.failed');
  await Promise.all(Array.from({ length: 12 }, (_, index) => tell('run.succeeded', { run_id: String(index) })));
  await tell('checkpoint.kept', { run_id: 'of no interest here' });
  const all = await when(id, (found) => found.every((one) => one.state === DeliveryState.DELIVERY_STATE_DELIVERED));
  expect(all).toHaveLength(12);
  const got = at('/good');
  expect(got, 'two replicas sent each of them once').toHaveLength(12);
  expect(new Set(got.map((one) => one.headers['webhook-id'])).size).toBe(12);
  for (const { headers, body } of got) {
    const event = new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string; data: object };
    expect(event.type).toBe('run.succeeded');
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
  }
  expect(all[0]?.tries.map((one) => one.status)).toStrictEqual([204]);
}, 30_000);

test('what a transaction that is given up would have told is never sent', async () => {
  const { id } = await register('/undone', 'run.failed');
  const undone = database().transaction(async (manager: EntityManager) => {
    await announce(manager, 'run.failed', { run_id: 'undone' });
    throw new Error('given up');
  });
  await expect(undone).rejects.toThrow(/given up/);
  await tell('run.failed', { run_id: 'done' });
  await when(id, settled);
  expect(at('/undone').map(({ body }) => (JSON.parse(body) as { data: object }).data)).toStrictEqual([{ run_id: 'done' }]);
}, 30_000);

test('a secret is shown once, is sealed in the database, and after a rotation both sign', async () => {
  const { id, secret } = await register('/rotated', 'run.failed');
  const shown = JSON.stringify([(await call('GET', `/endpoints/${id}`)).body, (await call('GET', '/endpoints')).body]);
  expect(shown).not.toContain('whsec_');
  const rows = await database().query<object[]>('SELECT * FROM webhook_endpoint, audit_entry');
  expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length));

  const rotated = EndpointWithSecret.fromJSON((await call('POST', `/endpoints/${id}/rotate`)).body);
  expect(rotated.secret).not.toBe(secret);
  await call('POST', `/endpoints/${id}/test`);
  await when(id, settled);
  const [{ headers, body } = { headers: {}, body: '' }] = at('/rotated');
  for (const one of [secret, rotated.secret]) new Webhook(one).verify(body, headers as Record<string, string>);
  expect((JSON.parse(body) as { type: string }).type).toBe('webhook.test');
}, 30_000);

test('a refused delivery is tried again later with the same id, and at once by hand', async () => {
  answers.set('/flaky', 503);
  const { id } = await register('/flaky', 'run.failed');
  const told = Date.now();
  await tell('run.failed', { run_id: 'r' });
  const [failed] = await when(id, settled);
  ensure(failed);
  expect(failed.state).toBe(DeliveryState.DELIVERY_STATE_PENDING);
  expect([failed.tries[0]?.status, failed.tries[0]?.response]).toStrictEqual([503, 'no']);
  const wait = (failed.nextTryAt?.getTime() ?? 0) - told;
  expect(wait, `${wait} ms until the second try`).toBeGreaterThan(3_500);
  expect(wait, `${wait} ms until the second try`).toBeLessThan(12_000);

  answers.delete('/flaky');
  await call('POST', `/deliveries/${failed.id}/redeliver`);
  const [delivered] = await when(id, (all) => all[0]?.state === DeliveryState.DELIVERY_STATE_DELIVERED);
  expect(delivered?.tries.map((one) => one.status)).toStrictEqual([503, 204]);
  expect(at('/flaky').map((one) => one.headers['webhook-id'])).toStrictEqual([failed.id, failed.id]);
}, 30_000);

test('a redirect is not followed, and 410 ends it', async () => {
  answers.set('/moved', 307).set('/gone', 410);
  const moved = await register('/moved', 'run.failed');
  const gone = await register('/gone', 'run.failed');
  await tell('run.failed', {});
  const [redirected] = await when(moved.id, settled);
  expect(redirected?.tries[0]?.error ?? '').toMatch(/not followed/);
  expect(at('/elsewhere')).toHaveLength(0);
  await when(gone.id, settled);
  const endpoint = (await call('GET', `/endpoints/${gone.id}`)).body as { enabled?: boolean; disabled_reason?: string };
  expect(endpoint.enabled ?? false).toBe(false);
  expect(endpoint.disabled_reason ?? '').toMatch(/410 Gone/);
  const again = await call('POST', `/deliveries/${(await deliveries(gone.id))[0]?.id ?? ''}/redeliver`);
  expect(again.status).toBe(400);
}, 30_000);

test('bad requests are refused by the field; update and delete do what they say', async () => {
  const refused = async (body: object, field: string, message: RegExp): Promise<void> => {
    const answer = await call('POST', '/endpoints', { url: address, description: '', events: ['run.failed'], ...body });
    expect(answer.status).toBe(400);
    const error = problemOf(answer);
    expect(error.field).toBe(field);
    expect(error.detail).toMatch(message);
  };
  await refused({ url: 'ftp://somewhere' }, 'url', /not an http or https address/);
  await refused({ url: 'http://user:secret@somewhere/' }, 'url', /must not hold a password/);
  await refused({ events: [] }, 'events', /at least 1 entry/);
  await refused({ events: ['run.started'] }, 'events', /"run.started" is not an event type/);
  const { id } = await register('/changed', 'run.failed');
  const change = { url: `${address}/new`, description: 'now', events: ['approval.needed'], enabled: false };
  const changed = (await call('PATCH', `/endpoints/${id}`, change)).body as { url: string; events: string[] };
  expect([changed.url, changed.events]).toStrictEqual([change.url, change.events]);
  expect((await call('DELETE', `/endpoints/${id}`)).status).toBe(200);
  expect((await call('GET', `/endpoints/${id}`)).status).toBe(404);
});

test('the end of a run, the verdict of its gate and what is told of them are one transaction', async () => {
  const { id } = await register('/runs', 'run.succeeded', 'checkpoint.kept', 'checkpoint.promoted');
  const cell = { benchmark: 'b', value: 70, difference: -0.4, low: -1, high: 0.2 };
  const { attemptId, stageId, run } = await gatedRun(database().manager, 'nightly', { minMeanGain: 0 }, [cell]);
  const runId = run.id;
  const lease = { stageId, runId, owner: 'me', epoch: 1 };
  const ends: JobEvent['event'] = {
    $case: 'state',
    value: { state: JobState.JOB_STATE_SUCCEEDED, error: undefined, device: '', dtype: '', resumedFromStep: 0, facts: {} },
  };
  const changes = new Changes(postgres.url);
  await ingest(database(), changes, lease, attemptId, [{ seq: 1n, at: new Date(), event: ends }]);
  await changes.onApplicationShutdown();
  await when(id, (all) => all.length === 2 && settled(all));
  const told = at('/runs').map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> });
  expect(told.map((one) => one.type).sort()).toStrictEqual(['checkpoint.kept', 'run.succeeded']);
  expect(told.filter((one) => !(one.data['run_id'] === runId))).toStrictEqual([]);
  const kept = told.find((one) => one.type === 'checkpoint.kept');
  expect(JSON.stringify(kept?.data['reasons'])).toMatch(/mean gain is -0\.4 points/);
  const succeeded = told.find((one) => one.type === 'run.succeeded');
  expect(String(succeeded?.data['outcome'])).toMatch(/^Kept the base model: .*mean gain is -0\.4 points/);
  const gate = await database().manager.findOneByOrFail(GateEntity, { runId });
  expect([gate.state, gate.decidedBy]).toStrictEqual([GateState.GATE_STATE_KEPT, 'the rule']);
}, 30_000);

test('without leave, nothing is sent to an address that is not public', async () => {
  for (const { app } of apps.splice(0)) await app.close();
  const strict = await start('0');
  apps.push(strict);
  const literal = await call('POST', '/endpoints', { url: address, description: '', events: ['run.failed'] }, strict);
  expect(literal.status).toBe(400);
  expect(JSON.stringify(literal.body)).toMatch(/is not a public address.*STIC_WEBHOOKS_ALLOW_PRIVATE/);
  const named = `http://localhost:${(receiver.address() as AddressInfo).port}/inside`;
  const made = await call('POST', '/endpoints', { url: named, description: '', events: ['run.failed'] }, strict);
  const id = EndpointWithSecret.fromJSON(made.body).endpoint?.id ?? '';
  await call('POST', `/endpoints/${id}/test`);
  const [refused] = await when(id, settled);
  ensure(refused);
  expect(refused.state).toBe(DeliveryState.DELIVERY_STATE_FAILED);
  expect(refused.tries[0]?.error ?? '').toMatch(/localhost is (127\.0\.0\.1|::1), which is not a public address/);
  expect(at('/inside')).toHaveLength(0);
}, 30_000);
