import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
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
import { ensure } from '../../../../test/support/expect.js';

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

beforeAll(async () => {
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
afterAll(async () => {
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
    expect(await codeOf(client.createDataset(body))).toBe('PERMISSION_DENIED');
    expect(await codeOf(client.getDataset({ datasetId }))).toBe('OK');
  }
  allowed = Permission.PERMISSION_UNSPECIFIED;
  for (const client of [grpc, web()]) expect(await codeOf(first(client.watchDataset({ datasetId })))).toBe('PERMISSION_DENIED');
  expect(handled).toStrictEqual(['getDataset', 'getDataset']);
  for (const client of [grpc, web()]) expect(await codeOf(client.getDataset({ datasetId: 'no-id' }))).toBe('PERMISSION_DENIED');
});

test('a request that breaks the rules of its proto is refused before its handler runs, with every field', async () => {
  for (const client of [grpc, web()]) expect(await codeOf(client.createDataset({ name: 'a\0b' }))).toBe('INVALID_ARGUMENT');
  const response = await fetch(`${base}/api/datasets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: 'no-uuid', name: 'a\0b', kind: 'DATASET_KIND_IMAGES', source: '/data' }),
  });
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const { errors } = (await response.json()) as Problem;
  expect(errors?.map(({ field }) => field).sort()).toStrictEqual(['name', 'request_id']);
  expect(handled).toStrictEqual([]);
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
  expect((await messages.next()).done).toBe(false);
  expect(await heldAt()).toBeLessThan(MESSAGES);
  let read = 1;
  while (!(await messages.next()).done) read++;
  expect(read).toBe(MESSAGES);
});

test('a reader of server-sent events that has stopped holds the producer back; once it reads, it gets everything', async () => {
  const [response] = (await once(http.get(`${base}/api/datasets/${datasetId}/watch`), 'response')) as [http.IncomingMessage];
  expect(response.headers['content-type']).toBe('text/event-stream');
  expect(await heldAt()).toBeLessThan(MESSAGES);
  let text = 0;
  let last = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.length;
    last = (last + chunk.toString()).slice(-100);
  }
  expect(text).toBeGreaterThan(MESSAGES * TEXT.length);
  expect(last).toMatch(/\n\nevent: end\ndata: \{\}\n\n$/);
});

test('a reader that goes away ends the producer', async () => {
  for (const client of [grpc, web()]) {
    const ended = once(producer, 'end');
    expect(await first(client.watchDataset({ datasetId }))).toBe(TEXT);
    await ended;
    expect(produced).toBeLessThan(MESSAGES);
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
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
  }
  const { error } = await rawCall('/stic.datasets.v1.DatasetService/Nothing', Buffer.alloc(0));
  expect(error?.code).toBe(status.UNIMPLEMENTED);
});

test("a request's id goes back with its answer, the caller's own or a new one", async () => {
  const [get] = rpcsOf(DatasetServiceDefinition).filter(({ key }) => key === 'getDataset');
  const bytes = Buffer.from(get?.method.requestType.encode({ datasetId }).finish() ?? []);
  const metadata = new Metadata();
  metadata.set(REQUEST_ID_HEADER, 'mine');
  expect((await rawCall(get?.grpcPath ?? '', bytes, metadata)).headers.get(REQUEST_ID_HEADER)).toStrictEqual(['mine']);
  expect(String((await rawCall(get?.grpcPath ?? '', bytes)).headers.get(REQUEST_ID_HEADER)[0])).toMatch(/^[0-9a-f-]{36}$/);
  const response = await fetch(`${base}/api/datasets/${datasetId}`, { headers: { [REQUEST_ID_HEADER]: 'mine' } });
  expect(response.headers.get(REQUEST_ID_HEADER)).toBe('mine');
  expect(await response.json()).toStrictEqual({ name: 'mine' });
  const refused = await fetch(`${base}/api/datasets/no-id`, { headers: { [REQUEST_ID_HEADER]: 'mine' } });
  expect(((await refused.json()) as Problem).request_id).toBe('mine');
});

test('an error says what to do: when to try again, which method is allowed, or where the log has the reason', async () => {
  const busy = await fetch(`${base}/api/datasets/${datasetId}/refresh`, { method: 'POST' });
  expect([busy.status, busy.headers.get('retry-after')]).toStrictEqual([503, '2']);
  expect(await codeOf(grpc.refreshDataset({ datasetId }))).toBe('UNAVAILABLE');

  const wrong = await fetch(`${base}/api/datasets/${datasetId}`, { method: 'DELETE' });
  expect([wrong.status, wrong.headers.get('allow')]).toStrictEqual([405, 'GET']);
  const two = await fetch(`${base}/api/datasets`, { method: 'PUT' });
  expect([two.status, two.headers.get('allow')]).toStrictEqual([405, 'POST, GET']);
  const nothing = await fetch(`${base}/api/nothing`);
  expect(nothing.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect([nothing.status, ((await nothing.json()) as Problem).code]).toStrictEqual([404, 'NOT_FOUND']);

  for (const client of [grpc, web()]) {
    const error: unknown = await client.listDatasetItems({ datasetId }).catch((thrown: unknown) => thrown);
    ensure(error instanceof Error);
    expect(await codeOf(Promise.reject(error))).toBe('INTERNAL');
    expect(error.message).not.toContain('a defect');
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
  ensure(method);
  const call = channel.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  call.write(request);
  const [response] = (await once(call, 'data')) as [Reflected];
  call.end();
  return response;
}

test('a client that has no protos finds services and messages by reflection', async () => {
  const { listServicesResponse } = await reflect({ listServices: '' });
  expect(listServicesResponse?.service.some(({ name }) => name === 'stic.datasets.v1.DatasetService')).toBeTruthy();
  const { fileDescriptorResponse } = await reflect({ fileContainingSymbol: 'stic.datasets.v1.DatasetService' });
  const files = fileDescriptorResponse?.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  expect(files?.some(({ service }) => service.some(({ name }) => name === 'DatasetService'))).toBeTruthy();
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
  expect(await health('stic.datasets.v1.DatasetService')).toBe('NOT_SERVING');
  expect(await health('no.such.Service')).toBe('NOT_FOUND');
});
