/** What a proto declares about its rpcs, in the form that gRPC, HTTP, OpenAPI and the clients need. */
import { HttpRule } from './gen/google/api/http.js';
import { type Permission, permissionFromJSON } from './gen/stic/api/v1/options.js';
import type { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What ts-proto generates for a message. */
export type Codec<T> = {
  encode(message: T): BinaryWriter;
  decode(bytes: Uint8Array): T;
  fromJSON(object: unknown): T;
  toJSON(message: T): unknown;
  fromPartial(object: object): T;
};

type Builtin = Date | ((...args: never[]) => unknown) | Uint8Array | string | number | boolean | bigint | undefined;

/** A message of which any part may be left out, as callers write it. */
export type Partially<T> = T extends Builtin
  ? T
  : T extends (infer U)[]
    ? Partially<U>[]
    : T extends { $case: string; value: unknown }
      ? { $case: T['$case']; value?: Partially<T['value']> }
      : T extends object
        ? { [K in keyof T]?: Partially<T[K]> }
        : Partial<T>;

/** One rpc as generated; `RequestOf` and `ResponseOf` know its messages. */
export type Method = {
  readonly name: string;
  readonly requestType: Codec<object>;
  readonly responseType: Codec<object>;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly options: { readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[]>> };
};

export type Service = { readonly name: string; readonly fullName: string; readonly methods: Readonly<Record<string, Method>> };

export type MessageOf<C> = C extends { decode(bytes: Uint8Array): infer T } ? T : never;
export type RequestOf<M extends Method> = MessageOf<M['requestType']>;
export type ResponseOf<M extends Method> = MessageOf<M['responseType']>;

/** A function per rpc of a service; one that is missing does not compile. A stream ends early when `signal` aborts. */
export type Implementation<S extends Service> = {
  [K in keyof S['methods']]: S['methods'][K]['responseStream'] extends true
    ? (request: RequestOf<S['methods'][K]>, signal: AbortSignal) => AsyncIterable<ResponseOf<S['methods'][K]>>
    : (request: RequestOf<S['methods'][K]>) => Promise<ResponseOf<S['methods'][K]>>;
};

export type CallOptions = {
  signal?: AbortSignal;
  /** Milliseconds from now after which the call fails with DEADLINE_EXCEEDED; a stream has none by default. */
  deadlineMs?: number;
};

/** What calls a service: a function per rpc. Requests may leave out any field. */
export type Client<S extends Service> = {
  [K in keyof S['methods']]: S['methods'][K]['responseStream'] extends true
    ? (request: Partially<RequestOf<S['methods'][K]>>, options?: CallOptions) => AsyncIterable<ResponseOf<S['methods'][K]>>
    : (request: Partially<RequestOf<S['methods'][K]>>, options?: CallOptions) => Promise<ResponseOf<S['methods'][K]>>;
};

export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** One rpc: its generated method, its address over gRPC and, when it has one, over HTTP. */
export type Rpc = {
  /** The name of its function, in lowerCamelCase. */
  readonly key: string;
  readonly service: Service;
  readonly method: Method;
  /** `/package.Service/Method`. */
  readonly grpcPath: string;
  readonly http: HttpBinding | undefined;
  readonly permission: Permission;
};

/** `path` holds variables as `{run_id}`; the rest of the request is the body, or else the query. */
export type HttpBinding = { readonly verb: Verb; readonly path: string; readonly body: boolean; readonly variables: readonly string[] };

/** Field tags, as ts-proto keys them, of google.api.http (72295728) and stic.api.v1.permission (50001). */
const HTTP_TAG = 578365826;
const PERMISSION_TAG = 400008;

/** The rpcs of a service, in the order of its proto. */
export function rpcsOf(service: Service): Rpc[] {
  return Object.entries(service.methods).map(([key, method]) => {
    const raw = method.options._unknownFields ?? {};
    const rule = raw[HTTP_TAG]?.[0];
    return {
      key,
      service,
      method,
      grpcPath: `/${service.fullName}/${method.name}`,
      http: rule && bindingOf(HttpRule.decode(withoutLength(rule))),
      permission: permissionFromJSON(raw[PERMISSION_TAG]?.[0]?.[0] ?? 0),
    };
  });
}

function bindingOf({ pattern, body }: HttpRule): HttpBinding | undefined {
  if (pattern === undefined || pattern.$case === 'custom') return undefined;
  const variables = [...pattern.value.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return { verb: pattern.$case, path: pattern.value, body: body === '*', variables };
}

/** A message option's bytes are preceded by their length as a varint. */
function withoutLength(bytes: Uint8Array): Uint8Array {
  const end = bytes.findIndex((byte) => byte < 0x80);
  return bytes.subarray(end + 1);
}
