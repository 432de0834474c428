/** A typed client of a service over HTTP, for browsers and Node: JSON for a message, server-sent events for a stream. */
import { type CallOptions, type Client, type HttpBinding, type Rpc, rpcsOf, type Service } from './service.js';

/** RFC 9457 problem of the server; `code` is the canonical code of gRPC, such as NOT_FOUND. */
export type Problem = {
  code: string;
  detail: string;
  status: number;
  title?: string;
  field?: string;
  hint?: string;
  reason?: string;
  errors?: { field: string; message: string }[];
  request_id?: string;
};

/** A refusal by the server, or UNAVAILABLE when it was not reached. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ApiError';
  }

  get code(): string {
    return this.problem.code;
  }

  get field(): string | undefined {
    return this.problem.field;
  }

  get hint(): string | undefined {
    return this.problem.hint;
  }
}

export type HttpOptions = {
  /** Scheme, host and port; none in a page that the server itself served. */
  base?: string;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
};

/** Calls over HTTP. A stream ends when the watched thing has come to rest; it throws when the connection is lost before. */
export function httpClient<S extends Service>(service: S, options: HttpOptions = {}): Client<S> {
  const calls = rpcsOf(service).flatMap((rpc) => {
    if (rpc.http === undefined) return [];
    return [[rpc.key, rpc.method.responseStream ? stream(rpc, rpc.http, options) : unary(rpc, rpc.http, options)]];
  });
  return Object.fromEntries(calls) as Client<S>;
}

/** The address of an rpc for a request, without a base: `/api/runs/…?page_size=20`. */
export function addressOf(rpc: Rpc, request: object): string {
  if (rpc.http === undefined) throw new Error(`${rpc.grpcPath} has no HTTP address`);
  return split(rpc, rpc.http, request).address;
}

function split({ method }: Rpc, http: HttpBinding, request: object): { address: string; body: string | undefined } {
  const json = method.requestType.toJSON(method.requestType.fromPartial(request)) as Record<string, unknown>;
  const path = http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(textOf(json[name])));
  const rest = Object.entries(json).filter(([name]) => !http.variables.includes(name));
  if (http.body) return { address: path, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = rest.flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((entry: unknown) => [name, String(entry)]));
  return { address: query.length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`, body: undefined };
}

/** A path variable is a text or a number. */
const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

async function send(rpc: Rpc, http: HttpBinding, options: HttpOptions, request: object, call: CallOptions): Promise<Response> {
  const { base = '', headers = {}, fetch = globalThis.fetch } = options;
  const { address, body } = split(rpc, http, request);
  const signals = [call.signal, call.deadlineMs === undefined ? undefined : AbortSignal.timeout(call.deadlineMs)].filter(
    (signal) => signal !== undefined,
  );
  const response = await fetch(base + address, {
    method: http.verb.toUpperCase(),
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body }),
    ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
  }).catch((cause: unknown) => {
    if (call.signal?.aborted) throw cause;
    throw unreached(cause);
  });
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

const unreached = (cause: unknown): ApiError => {
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const code = timedOut ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
  return new ApiError({ code, status: 0, detail: timedOut ? 'The server did not answer in time.' : 'The server cannot be reached.' });
};

async function problemOf(response: Response): Promise<Problem> {
  const problem: unknown = await response.json().catch(() => undefined);
  if (typeof problem === 'object' && problem !== null && 'code' in problem && 'detail' in problem) return problem as Problem;
  return { code: 'INTERNAL', status: response.status, detail: `The server answered with status ${response.status}.` };
}

function unary(rpc: Rpc, http: HttpBinding, options: HttpOptions) {
  return async (request: object, call: CallOptions = {}): Promise<object> => {
    const response = await send(rpc, http, options, request, call);
    return rpc.method.responseType.fromJSON(await response.json());
  };
}

function stream(rpc: Rpc, http: HttpBinding, options: HttpOptions) {
  return async function* (request: object, call: CallOptions = {}): AsyncGenerator<object, void, undefined> {
    const response = await send(rpc, http, options, request, call);
    for await (const { event, data } of events(response)) {
      if (event === 'end') return;
      if (event === 'error') throw new ApiError(JSON.parse(data) as Problem);
      if (event === 'update') yield rpc.method.responseType.fromJSON(JSON.parse(data));
    }
    throw unreached(undefined);
  };
}

type ServerEvent = { event: string; data: string };

/** The events of a text/event-stream response; comments are heartbeats and left out. */
async function* events(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let buffer = '';
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      if (done) return;
      buffer += value ?? '';
      const blocks = buffer.split('\n\n');
      buffer = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        );
        const data = fields.get('data');
        if (data !== undefined) yield { event: fields.get('event') ?? 'message', data };
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
