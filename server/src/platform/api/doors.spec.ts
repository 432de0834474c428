import 'reflect-metadata';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CanActivate, type ExecutionContext, Global, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { service as healthService } from 'grpc-health-check';
import { DataSource } from 'typeorm';
import { Permission, permissionToNumber } from '@stic/api/gen/stic/api/v1/options.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Dataset, DatasetServiceDefinition, type WatchDatasetRequest } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type GrpcClient, grpcClient } from '@stic/api/grpc.js';
import { httpClient, type Problem } from '@stic/api/http.js';
import { type Rpc, rpcsOf } from '@stic/api/service.js';
import { currentRequestId, REQUEST_ID_HEADER } from '../caller.js';
import { CONFIG, loadConfig } from '../config/config.js';
import { DomainError } from '../errors.js';
import { inCallersName } from '../http/protection.js';
import { fromGrpcError } from '../transport/grpc-errors.js';
import { HttpErrors } from '../transport/http-errors.js';
import { ApiModule } from './api.module.js';
import { GrpcDoor } from './grpc-door.js';
import { serves } from './serves.js';

const MESSAGES = 1_000;
const TEXT = 'x'.repeat(100_000);

/** What the caller may do, for the guard. */
let allowed = Permission.PERMISSION_ADMIN;
/** The rpcs that reached their handlers. */
let handled: string[] = [];
let produced = 0;
const producer = new EventEmitter();

class ByPermission implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const [, , rpc] = context.getArgs<[object, AbortSignal, Rpc]>();
    return permissionToNumber(rpc.permission) <= permissionToNumber(allowed);
  }
}

async function* produce(_request: WatchDatasetRequest, signal: AbortSignal): AsyncGenerator<Dataset, void, undefined> {
  handled.push('watchDataset');
  try {
    for (produced = 0; produced < MESSAGES && !signal.aborted; produced++) {
      await new Promise((resolve) => setImmediate(resolve));
      yield Dataset.fromPartial({ name: TEXT });
    }
  } finally {
    producer.emit('end');
  }
}

const answer =
  <T>(name: string, content: T) =>
  (): Promise<T> => {
    handled.push(name);
    return Promise.resolve(content);
  };

const datasets = serves(DatasetServiceDefinition, [], () => ({
  createDataset: answer('createDataset', Dataset.fromPartial({ name: 'made' })),
  refreshDataset: () => Promise.reject(new DomainError('UNAVAILABLE', 'No trainer answers.', { hint: 'Try again.' })),
  getDataset: () => {
    handled.push('getDataset');
    return Promise.resolve(Dataset.fromPartial({ name: currentRequestId() ?? '' }));
  },
  listDatasets: answer('listDatasets', { datasets: [], nextPageToken: '' }),
  watchDataset: produce,
  listDatasetItems: () => Promise.reject(new Error('a defect')),
  listDatasetProblems: answer('listDatasetProblems', { problems: [], nextPageToken: '' }),
}));

const config = loadConfig({ STIC_STATE: path.join(os.tmpdir(), `stic-${randomUUID()}`), STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '0' });

/** A database that nobody runs: what needs none answers all the same. */
const nowhere = new DataSource({ type: 'postgres', url: 'postgres://127.0.0.1:1/none' });

@Global()
@Module({
  providers: [
    { provide: CONFIG, useValue: config },
    { provide: getDataSourceToken(), useValue: nowhere },
  ],
  exports: [CONFIG, getDataSourceToken()],
})
class Surroundings {}

@Module({ imports: [Surroundings, ApiModule], providers: [datasets, { provide: APP_GUARD, useClass: ByPermission }] })
class Product {}

let app: NestExpressApplication;
let base = '';
let address = '';
let channel: Client;
let grpc: GrpcClient<typeof DatasetServiceDefinition>;

before(async () => {
  app = await NestFactory.create<NestExpressApplication>(Product, { bodyParser: false, logger: false, forceCloseConnections: true });
  app.use(inCallersName);
  app.useBodyParser('json');
  app.useGlobalFilters(new HttpErrors());
  await app.listen(0, '127.0.0.1');
  base = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  address = `127.0.0.1:${app.get(GrpcDoor).port}`;
  channel = new Client(address, credentials.createInsecure());
  grpc = grpcClient(DatasetServiceDefinition, address, credentials.createInsecure());
});
after(async () => {
  grpc.close();
  channel.close();
  await app.close();
});
beforeEach(() => {
  allowed = Permission.PERMISSION_ADMIN;
  handled = [];
});

const datasetId = randomUUID();
const web = () => httpClient(DatasetServiceDefinition, { base });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'OK',
    (error: unknown) => {
      if (error instanceof Error && 'metadata' in error) return fromGrpcError(error as ServiceError)?.code ?? error.message;
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    },
  );
const first = async (messages: AsyncIterable<Dataset>): Promise<string> => {
  for await (const { name } of messages) return name;
  return '';
};

test('a guard refuses by the permission of the rpc, over both doors, before its handler runs', async () => {
  allowed = Permission.PERMISSION_READ;
  const body = { name: 'n', kind: DatasetKind.DATASET_KIND_IMAGES, source: '/data' };
  for (const client of [grpc, web()]) {
    assert.equal(await codeOf(client.createDataset(body)), 'PERMISSION_DENIED');
    assert.equal(await codeOf(client.getDataset({ datasetId })), 'OK');
  }
  allowed = Permission.PERMISSION_UNSPECIFIED;
  for (const client of [grpc, web()]) assert.equal(await codeOf(first(client.watchDataset({ datasetId }))), 'PERMISSION_DENIED');
  assert.deepEqual(handled, ['getDataset', 'getDataset']);
  for (const client of [grpc, web()]) assert.equal(await codeOf(client.getDataset({ datasetId: 'no-id' })), 'PERMISSION_DENIED');
});

test('a request that breaks the rules of its proto is refused before its handler runs, with every field', async () => {
  for (const client of [grpc, web()]) assert.equal(await codeOf(client.createDataset({ name: 'a\0b' })), 'INVALID_ARGUMENT');
  const response = await fetch(`${base}/api/datasets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: 'no-uuid', name: 'a\0b', kind: 'DATASET_KIND_IMAGES', source: '/data' }),
  });
  assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const { errors } = (await response.json()) as Problem;
  assert.deepEqual(errors?.map(({ field }) => field).sort(), ['name', 'request_id']);
  assert.deepEqual(handled, []);
});

/** How much was produced once nothing is added any more; a producer that is not held back ends at MESSAGES. */
async function heldAt(): Promise<number> {
  for (let last = -1, same = 0; same < 20; last = produced) {
    same = produced === last && produced > 0 ? same + 1 : 0;
    await sleep(25);
  }
  return produced;
}

test('a gRPC reader that does not read holds the producer back; once it reads, it gets everything', async () => {
  const messages = grpc.watchDataset({ datasetId })[Symbol.asyncIterator]();
  assert.equal((await messages.next()).done, false);
  assert.ok((await heldAt()) < MESSAGES);
  let read = 1;
  while (!(await messages.next()).done) read++;
  assert.equal(read, MESSAGES);
});

test('a reader of server-sent events that has stopped holds the producer back; once it reads, it gets everything', async () => {
  const [response] = (await once(http.get(`${base}/api/datasets/${datasetId}/watch`), 'response')) as [http.IncomingMessage];
  assert.equal(response.headers['content-type'], 'text/event-stream');
  assert.ok((await heldAt()) < MESSAGES);
  let text = 0;
  let last = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.length;
    last = (last + chunk.toString()).slice(-100);
  }
  assert.ok(text > MESSAGES * TEXT.length);
  assert.match(last, /\n\nevent: end\ndata: \{\}\n\n$/);
});

test('a reader that goes away ends the producer', async () => {
  for (const client of [grpc, web()]) {
    const ended = once(producer, 'end');
    assert.equal(await first(client.watchDataset({ datasetId })), TEXT);
    await ended;
    assert.ok(produced < MESSAGES);
  }
});

/** A unary call with bytes as they are. */
function rawCall(grpcPath: string, bytes: Buffer, metadata = new Metadata()) {
  const sent = new Promise<{ error: ServiceError | null; headers: Metadata }>((resolve) => {
    let headers = new Metadata();
    channel
      .makeUnaryRequest(
        grpcPath,
        (request: Buffer) => request,
        (response) => response,
        bytes,
        metadata,
        (error) => resolve({ error, headers }),
      )
      .on('metadata', (got: Metadata) => (headers = got));
  });
  return sent;
}

test('bytes that are not the message are INVALID_ARGUMENT', async () => {
  for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.from([0x0a, 0x7f, 0x41])]) {
    const { error } = await rawCall('/stic.datasets.v1.DatasetService/GetDataset', bytes);
    assert.equal(error?.code, status.INVALID_ARGUMENT);
  }
  const { error } = await rawCall('/stic.datasets.v1.DatasetService/Nothing', Buffer.alloc(0));
  assert.equal(error?.code, status.UNIMPLEMENTED);
});

test("a request's id goes back with its answer, the caller's own or a new one", async () => {
  const [get] = rpcsOf(DatasetServiceDefinition).filter(({ key }) => key === 'getDataset');
  const bytes = Buffer.from(get?.method.requestType.encode({ datasetId }).finish() ?? []);
  const metadata = new Metadata();
  metadata.set(REQUEST_ID_HEADER, 'mine');
  assert.deepEqual((await rawCall(get?.grpcPath ?? '', bytes, metadata)).headers.get(REQUEST_ID_HEADER), ['mine']);
  assert.match(String((await rawCall(get?.grpcPath ?? '', bytes)).headers.get(REQUEST_ID_HEADER)[0]), /^[0-9a-f-]{36}$/);
  const response = await fetch(`${base}/api/datasets/${datasetId}`, { headers: { [REQUEST_ID_HEADER]: 'mine' } });
  assert.equal(response.headers.get(REQUEST_ID_HEADER), 'mine');
  assert.deepEqual(await response.json(), { name: 'mine' });
  const refused = await fetch(`${base}/api/datasets/no-id`, { headers: { [REQUEST_ID_HEADER]: 'mine' } });
  assert.equal(((await refused.json()) as Problem).request_id, 'mine');
});

test('an error says what to do: when to try again, which method is allowed, or where the log has the reason', async () => {
  const busy = await fetch(`${base}/api/datasets/${datasetId}/refresh`, { method: 'POST' });
  assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '2']);
  assert.equal(await codeOf(grpc.refreshDataset({ datasetId })), 'UNAVAILABLE');

  const wrong = await fetch(`${base}/api/datasets/${datasetId}`, { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET']);
  const two = await fetch(`${base}/api/datasets`, { method: 'PUT' });
  assert.deepEqual([two.status, two.headers.get('allow')], [405, 'POST, GET']);
  const nothing = await fetch(`${base}/api/nothing`);
  assert.equal(nothing.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  assert.deepEqual([nothing.status, ((await nothing.json()) as Problem).code], [404, 'NOT_FOUND']);

  for (const client of [grpc, web()]) {
    const error: unknown = await client.listDatasetItems({ datasetId }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    assert.equal(await codeOf(Promise.reject(error)), 'INTERNAL');
    assert.ok(!error.message.includes('a defect'));
  }
});

/** A method of a service that only its proto describes. */
type Loaded<Answer> = { path: string; requestSerialize: (value: object) => Buffer; responseDeserialize: (bytes: Buffer) => Answer };
type Reflected = { listServicesResponse?: { service: { name: string }[] }; fileDescriptorResponse?: { fileDescriptorProto: Buffer[] } };

const PROTO = fileURLToPath(new URL('../proto/grpc/reflection/v1/reflection.proto', import.meta.resolve('@grpc/reflection')));

/** What the server's reflection answers to a client that knows nothing but the standard protocol. */
async function reflect(request: object): Promise<Reflected> {
  const service = (await load(PROTO, { oneofs: true }))['grpc.reflection.v1.ServerReflection'] as unknown as Record<
    string,
    Loaded<Reflected>
  >;
  const method = service['ServerReflectionInfo'];
  assert.ok(method);
  const call = channel.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  call.write(request);
  const [response] = (await once(call, 'data')) as [Reflected];
  call.end();
  return response;
}

test('a client that has no protos finds services and messages by reflection', async () => {
  const { listServicesResponse } = await reflect({ listServices: '' });
  assert.ok(listServicesResponse?.service.some(({ name }) => name === 'stic.datasets.v1.DatasetService'));
  const { fileDescriptorResponse } = await reflect({ fileContainingSymbol: 'stic.datasets.v1.DatasetService' });
  const files = fileDescriptorResponse?.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  assert.ok(files?.some(({ service }) => service.some(({ name }) => name === 'DatasetService')));
});

test('without a database no service is serving, and a name that is none is NOT_FOUND', async () => {
  const check = healthService['Check'] as unknown as Loaded<{ status: string }>;
  const health = (name: string): Promise<string> =>
    new Promise((resolve) => {
      channel.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, { service: name }, (error, response) =>
        resolve(error === null ? (response?.status ?? '') : status[error.code]),
      );
    });
  while ((await health('')) !== 'NOT_SERVING') await sleep(20);
  assert.equal(await health('stic.datasets.v1.DatasetService'), 'NOT_SERVING');
  assert.equal(await health('no.such.Service'), 'NOT_FOUND');
});
