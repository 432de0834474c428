/** What the server says when it refuses: a code, a reason, the field at fault and what to do. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly field: string;
  readonly hint: string;

  constructor(status: number, body: { code?: string; message?: string; field?: string; hint?: string }) {
    super(body.message ?? `The server answered with status ${String(status)}.`);
    this.status = status;
    this.code = body.code ?? `HTTP_${String(status)}`;
    this.field = (body.field ?? '').replace(/^recipe\./, '');
    this.hint = body.hint ?? '';
  }
}

/** A message type of the generated stubs. */
export interface Decoder<T> {
  fromJSON(json: unknown): T;
}

export type Query = Record<string, string | number | undefined>;

/** `/api/...` with the query's non-empty parameters. */
export function apiPath(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return `/api${path}${text ? `?${text}` : ''}`;
}

async function request(path: string, init?: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new ApiError(0, {
      code: 'UNREACHABLE',
      message: 'The server cannot be reached.',
      hint: 'Is it running? This page tries again by itself; nothing that runs is lost.',
    });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, errorBody(body));
  if (body === undefined) {
    throw new ApiError(response.status, { code: 'NOT_JSON', message: `${path} did not answer with JSON.` });
  }
  return body;
}

function errorBody(body: unknown): Record<string, string> {
  if (typeof body !== 'object' || body === null || !('error' in body)) return {};
  const { error } = body;
  return typeof error === 'object' && error !== null ? (error as Record<string, string>) : {};
}

/** GETs a resource and decodes it. */
export async function get<T>(decoder: Decoder<T>, path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return decoder.fromJSON(await request(apiPath(path, query), { signal }));
}

/** POSTs JSON and decodes the answer. */
export const post = <T>(decoder: Decoder<T>, path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  send('POST', decoder, path, body, signal);

/** PUTs JSON and decodes the answer. */
export const put = <T>(decoder: Decoder<T>, path: string, body: unknown): Promise<T> => send('PUT', decoder, path, body);

/** DELETEs a resource and decodes the answer. */
export const remove = async <T>(decoder: Decoder<T>, path: string): Promise<T> =>
  decoder.fromJSON(await request(apiPath(path), { method: 'DELETE' }));

async function send<T>(method: string, decoder: Decoder<T>, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
    signal,
  };
  return decoder.fromJSON(await request(apiPath(path), init));
}
