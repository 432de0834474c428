import { randomInt, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { create, type DescMessage, fromJson, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Problem } from '@stic/api/http.js';
import type { Rpc } from '@stic/api/service.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { methodOf } from '../../server/src/platform/api/descriptors.js';
import type { OpenApi } from '../../server/src/platform/api/openapi.js';
import { fromGrpcError } from '../../server/src/platform/transport/grpc-errors.js';
import { type Json, publicRpcs, sample } from '../support/api.js';
import { Product, type Server } from '../support/product.js';
import { ensure, fail } from '../support/expect.js';

const product = new Product();
let server: Server;
let channel: Client;
let rpcs: Rpc[];

beforeAll(async () => {
  server = await product.start();
  channel = new Client(server.grpc, credentials.createInsecure());
  rpcs = await publicRpcs();
});
afterAll(async () => {
  channel.close();
  await product.close();
});

/** A message, or a refusal, as JSON. */
type Answer = { code: string; message: Json };

const refusal = ({ code, detail, field, hint, errors }: Partial<Problem>): Answer => ({
  code: code ?? '',
  message: { detail, field, hint, errors },
});

/** An error says neither much nor much of what the caller sent. */
function checkLength(text: string, where: string): void {
  expect(text.length, `${where}: ${text.length} characters: ${text.slice(0, 100)}`).toBeLessThanOrEqual(1_000);
  expect(text, `${where}: ${text.length} characters: ${text.slice(0, 100)}`).not.toContain('x'.repeat(201));
}

/** Calls over gRPC; of a stream the first message. */
function overGrpc({ grpcPath, method }: Rpc, request: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = deferred<Answer>();
  const decode = (bytes: Buffer): Json => method.responseType.toJSON(method.responseType.decode(bytes)) as Json;
  const failed = (error: ServiceError): void => {
    if (error.code === status.CANCELLED) return;
    const known = fromGrpcError(error);
    if (known === undefined) reject(error);
    else {
      checkLength(error.details, grpcPath);
      const { code, message: detail, field, hint, violations } = known;
      resolve(refusal({ code, detail, field, hint, ...(violations.length > 0 && { errors: [...violations] }) }));
    }
  };
  const raw = (bytes: Buffer): Buffer => bytes;
  if (method.responseStream) {
    const call = channel.makeServerStreamRequest(grpcPath, raw, raw, request);
    call.on('error', (error: ServiceError) => failed(error));
    call.on('data', (bytes: Buffer) => {
      resolve({ code: 'OK', message: decode(bytes) });
      call.cancel();
    });
  } else {
    channel.makeUnaryRequest(grpcPath, raw, raw, request, (error, bytes) => {
      if (error) failed(error);
      else resolve({ code: 'OK', message: decode(bytes ?? Buffer.alloc(0)) });
    });
  }
  return promise;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}

/** Calls over HTTP; of a stream the first message. */
async function overHttp({ http, method }: Rpc, request: Json): Promise<Answer> {
  ensure(http);
  const rest = Object.entries(request).filter(([name]) => !http.variables.includes(name));
  const where = http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(textOf(request[name])));
  const query = rest.flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((entry): [string, string] => [name, textOf(entry)]),
  );
  const response = await fetch(`${server.url}${where}${http.body ? '' : `?${new URLSearchParams(query).toString()}`}`, {
    method: http.verb.toUpperCase(),
    ...(http.body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(Object.fromEntries(rest)) }),
  });
  if (!response.ok) {
    const problem = (await response.json()) as Problem;
    checkLength(problem.detail, http.path);
    return refusal(problem);
  }
  if (!method.responseStream) return { code: 'OK', message: (await response.json()) as Json };
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(chunk);
    const data = /^data: (.*)\n\n/m.exec(text)?.[1];
    if (data === undefined) continue;
    return { code: 'OK', message: JSON.parse(data) as Json };
  }
  throw new Error(`${where} sent nothing`);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const bytesOf = (message: DescMessage, json: Json): Buffer => Buffer.from(toBinary(message, fromJson(message, json as never)));

/** What differs from call to call: it is of now. */
const OF_NOW = new Set(['listTrainers', 'listOrphans', 'createEndpoint']);

/** An answer as JSON, without the time of the call itself. */
const lasting = ({ code, message: { updated_at: _, ...message } }: Answer): unknown => JSON.parse(JSON.stringify({ code, message }));

test('every rpc gives the same answer over both doors, field by field', async () => {
  const world = await product.world(2);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const spec = {
    name: 'nightly',
    cron: '30 2 29 2 *',
    zone: 'UTC',
    recipe: await server.smallRecipe(),
    inputs: [{ role: 'images', dataset_id: images.id }],
  };
  const make = async (key: string, request: Json): Promise<Json> => {
    const rpc = rpcs.find((one) => one.key === key) ?? fail(key);
    const { code, message } = await overGrpc(rpc, bytesOf(methodOf(rpc).input, request));
    expect(code, JSON.stringify(message)).toBe('OK');
    return message;
  };
  const schedule = await make('createSchedule', { spec });
  const hook = (await make('createEndpoint', { url: 'https://lab.example/hook', events: ['run.failed'] }))['endpoint'] as Json;
  /** Requests that succeed, and can be made twice with the same answer. Every other rpc is asked for what is not there. */
  const valid: Record<string, Json> = {
    createDataset: { request_id: randomUUID(), name: 'again', kind: 'DATASET_KIND_IMAGES', source: '/nowhere' },
    getDataset: { dataset_id: images.id },
    watchDataset: { dataset_id: images.id },
    listDatasetItems: { dataset_id: images.id, page_size: 1 },
    listDatasetProblems: { dataset_id: images.id },
    createSchedule: { request_id: randomUUID(), spec: { ...spec, name: 'other' } },
    getSchedule: { schedule_id: schedule['id'] },
    updateSchedule: { schedule_id: schedule['id'], spec: { ...spec, priority: 5 } },
    pauseSchedule: { schedule_id: schedule['id'], reason: 'holidays' },
    resumeSchedule: { schedule_id: schedule['id'] },
    backfillSchedule: { schedule_id: schedule['id'], request_id: randomUUID(), start: '2024-02-01T00:00:00Z', end: '2024-03-01T00:00:00Z' },
    previewSchedule: { cron: '30 2 * * *', zone: 'UTC', after: '2025-01-01T00:00:00Z', count: 3 },
    listTicks: { schedule_id: schedule['id'] },
    getEndpoint: { endpoint_id: hook['id'] },
    updateEndpoint: { endpoint_id: hook['id'], url: 'https://lab.example/new', events: ['run.failed'], enabled: false },
    createEndpoint: { url: 'https://lab.example/two', events: ['run.failed'] },
    planRetention: { rules: { keep_days: 30 } },
    setRetentionPolicy: { policy: { rules: { keep_days: 30 }, enabled: true, hour: 3, zone: 'UTC' } },
  };
  const codes: Record<string, number> = {};
  const different: object[] = [];
  for (const rpc of rpcs) {
    const { input } = methodOf(rpc);
    const ids = Object.fromEntries(rpc.http?.variables.map((name) => [name, randomUUID()]) ?? []);
    const request = valid[rpc.key] ?? ids;
    const grpc = await overGrpc(rpc, bytesOf(input, request));
    const http = await overHttp(rpc, request);
    const expected = valid[rpc.key] ? ['OK'] : Object.keys(ids).length > 0 ? ['NOT_FOUND', 'INVALID_ARGUMENT'] : ['OK', 'INVALID_ARGUMENT'];
    if (!expected.includes(grpc.code)) different.push({ rpc: rpc.grpcPath, expected, grpc });
    const [one, other] = OF_NOW.has(rpc.key) ? [Object.keys(grpc.message), Object.keys(http.message)] : [lasting(grpc), lasting(http)];
    if (!isDeepStrictEqual(one, other)) different.push({ rpc: rpc.grpcPath, one, other });
    codes[grpc.code] = (codes[grpc.code] ?? 0) + 1;
  }
  expect(different).toStrictEqual([]);
  expect(codes['OK'] ?? 0, JSON.stringify(codes)).toBeGreaterThanOrEqual(30);
}, 600_000);

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Place = { holder: Json; name: string; depth: number };

/** Every field of a request in JSON, at every depth. */
function places(holder: Json, depth = 0): Place[] {
  return Object.entries(holder).flatMap(([name, value]) => [
    { holder, name, depth },
    ...(typeof value === 'object' && value !== null ? places(value as Json, depth + 1) : []),
  ]);
}

const isText = ({ holder, name }: Place): boolean => typeof holder[name] === 'string';

/** Changes to one place of a request; undefined where it makes no sense. */
const MUTATIONS: Record<string, (place: Place, inAddress: boolean) => unknown> = {
  'unknown field': ({ holder, name }) => (Array.isArray(holder) ? undefined : Object.assign(holder, { [`${name}x`]: 1 })),
  // In an address all is text.
  'wrong type': (place, inAddress) =>
    inAddress && isText(place) ? undefined : (place.holder[place.name] = typeof place.holder[place.name] === 'object' ? 'text' : { a: 1 }),
  NUL: (place) => (isText(place) ? (place.holder[place.name] = `a\0b`) : undefined),
  'bad enum': ({ holder, name }) => (/^[A-Z]+_[A-Z_]+$/.test(String(holder[name])) ? (holder[name] = 999) : undefined),
  huge: (place, inAddress) => (isText(place) ? (place.holder[place.name] = 'x'.repeat(inAddress ? 3_000 : 100_000)) : undefined),
  'bad uuid': ({ holder, name }) => (/^[0-9a-f-]{36}$/.test(String(holder[name])) ? (holder[name] = 'no-uuid') : undefined),
  negative: ({ holder, name }) => (typeof holder[name] === 'number' ? (holder[name] = -7) : undefined),
  'far off': ({ holder, name }) => (typeof holder[name] === 'number' ? (holder[name] = 2 ** 31 - 1) : undefined),
  unicode: (place) => (isText(place) ? (place.holder[place.name] = 'a\u202e\ud83d\ude00 %_\\') : undefined),
};

const CALLS = 600;

test('600 mutated calls are judged alike over both doors, never with INTERNAL', async () => {
  const seed = Number(process.env['STIC_TEST_SEED'] ?? randomInt(1e9));
  console.log(`STIC_TEST_SEED=${seed}`);
  const next = random(seed);
  const kinds = Object.entries(MUTATIONS);
  const codes: Record<string, number> = {};
  for (let made = 0; made < CALLS;) {
    const rpc = rpcs[next(rpcs.length)];
    const [kind, mutate] = kinds[next(kinds.length)] ?? [];
    if (rpc?.http === undefined || mutate === undefined) continue;
    const { input } = methodOf(rpc);
    const request = sample(input);
    const all = places(request);
    const place = all[next(Math.max(1, all.length))];
    if (place === undefined || mutate(place, !rpc.http.body || rpc.http.variables.includes(place.name)) === undefined) continue;
    made++;
    const what = `call ${made}, seed ${seed}: ${rpc.grpcPath}, ${kind} at ${place.name}`;
    const http = await overHttp(rpc, request);
    expect(http.code, what).not.toBe('INTERNAL');
    codes[http.code] = (codes[http.code] ?? 0) + 1;
    const bytes = tryBytes(input, request);
    // Only JSON can have fields and types that the proto does not know.
    if (bytes === undefined) expect(http.code, what).toBe('INVALID_ARGUMENT');
    else {
      const grpc = await overGrpc(rpc, bytes);
      expect(http.code, `${what}: ${JSON.stringify([http, grpc])}`).toBe(grpc.code);
    }
  }
  console.log(JSON.stringify(codes));
}, 900_000);

function tryBytes(message: DescMessage, json: Json): Buffer | undefined {
  try {
    return bytesOf(message, json);
  } catch {
    return undefined;
  }
}

test('bytes of another message, or cut off, are INVALID_ARGUMENT or read as what they are', async () => {
  for (const rpc of rpcs) {
    const { input } = methodOf(rpc);
    const whole = Buffer.concat([toBinary(input, create(input)), Buffer.from([0x0a, 0x50, 0x41])]);
    expect((await overGrpc(rpc, whole)).code, rpc.grpcPath).toBe('INVALID_ARGUMENT');
  }
});

type Operation = {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: Json; 'x-event-schema'?: Json }> }>;
};

test('each operation answers a request made from its description as it is described', async () => {
  const document = (await server.get('/openapi.json')) as OpenApi;
  const schemas = document.components.schemas;
  const resolve = (schema: Json): Json =>
    typeof schema['$ref'] === 'string' ? (schemas[schema['$ref'].split('/').at(-1) ?? ''] ?? {}) : schema;
  let asked = 0;
  for (const [where, verbs] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(verbs) as [string, Operation][]) {
      const parameters = (operation.parameters ?? []).filter(({ required }) => required === true);
      const value = ({ schema }: { schema: Json }): string => String(example(schema, resolve));
      const target = parameters.filter((one) => one.in === 'path').reduce((text, one) => text.replace(`{${one.name}}`, value(one)), where);
      const query = new URLSearchParams(
        parameters.filter((one) => one.in === 'query').map((one): [string, string] => [one.name, value(one)]),
      );
      const schema = operation.requestBody?.content['application/json']?.schema;
      const leaving = new AbortController();
      const response = await fetch(`${server.url}${target}?${query.toString()}`, {
        method: verb.toUpperCase(),
        ...(schema && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(example(schema, resolve)) }),
        signal: leaving.signal,
      });
      asked++;
      const { status: answered, headers } = response;
      const what = `${verb} ${where}: ${answered}`;
      expect(answered, what).not.toBe(405);
      if (answered !== 200) {
        const problem = (await response.json()) as Problem;
        expect(answered < 500 || answered === 503, `${what} ${problem.detail}`).toBe(true);
        expect(problem.detail, what).not.toMatch(/is not a field here|nothing at this address/);
        expect(faults(schemas['Problem'] ?? {}, problem, resolve), what).toStrictEqual([]);
        continue;
      }
      const [mediaType = '', content] = Object.entries(operation.responses['200']?.content ?? {})[0] ?? [];
      expect(headers.get('content-type')?.startsWith(mediaType.replace('*/*', '')), what).toBeTruthy();
      if (mediaType === 'application/json') expect(faults(content?.schema ?? {}, await response.json(), resolve), what).toStrictEqual([]);
      else leaving.abort();
    }
  }
  expect(asked).toBe(rpcs.length + 5);
}, 300_000);

// The last one: it keeps this process busy for longer than the server keeps an idle connection.
test('the OpenAPI document passes its linter', async () => {
  const document = (await server.get('/openapi.json')) as OpenApi;
  expect(document['openapi']).toBe('3.1.0');
  const lint = async (content: object): Promise<string[]> => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: JSON.stringify(content), absoluteRef: 'openapi.json', config });
    return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
  };
  expect(await lint(document)).toStrictEqual([]);
  const wrong = { ...document, paths: { '/api/{x}': document.paths['/api/runs'] } };
  expect((await lint(wrong)).join()).toMatch(/path-parameters-defined/);
});

type Resolve = (schema: Json) => Json;

/** The least that a schema asks for. */
function example(given: Json, resolve: Resolve): unknown {
  const schema = resolve(given);
  const properties = (schema['properties'] ?? {}) as Record<string, Json>;
  if (Array.isArray(schema['enum'])) return schema['enum'].at(-1);
  switch (schema['type']) {
    case 'object':
      return Object.fromEntries(((schema['required'] ?? []) as string[]).map((name) => [name, example(properties[name] ?? {}, resolve)]));
    case 'array':
      return schema['minItems'] === undefined ? [] : [example(schema['items'] as Json, resolve)];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? Number(schema['exclusiveMinimum'] ?? 0) + 1);
    default:
      if (schema['format'] === 'uuid') return randomUUID();
      if (schema['format'] === 'date-time') return '2025-01-01T00:00:00Z';
      return schema['pattern'] === '^[0-9a-f]{64}$' ? 'f'.repeat(64) : 'x';
  }
}

/** Where a value is not what its schema says; what is not described is a fault too. */
function faults(given: Json, value: unknown, resolve: Resolve, at = ''): string[] {
  const schema = resolve(given);
  const properties = schema['properties'] as Record<string, Json> | undefined;
  const items = schema['items'] as Json | undefined;
  const rest = schema['additionalProperties'] as Json | undefined;
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value) ? [] : [`${at} is ${JSON.stringify(value)}`];
  switch (schema['type']) {
    case 'object': {
      if (typeof value !== 'object' || value === null) return [`${at} is no object`];
      if (properties === undefined && rest === undefined) return [];
      const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
      return [
        ...missing,
        ...Object.entries(value).flatMap(([name, entry]) => {
          const known = properties?.[name] ?? rest;
          return known === undefined ? [`${at}.${name} is not described`] : faults(known, entry, resolve, `${at}.${name}`);
        }),
      ];
    }
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((entry, index) => faults(items ?? {}, entry, resolve, `${at}[${index}]`))
        : [`${at} is no list`];
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at} is no integer`];
    default:
      return schema['type'] === undefined || typeof value === schema['type'] ? [] : [`${at} is no ${JSON.stringify(schema['type'])}`];
  }
}
