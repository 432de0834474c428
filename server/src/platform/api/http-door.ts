import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import type { DescMessage } from '@bufbuild/protobuf';
import type { HttpBinding } from '@stic/api/service.js';
import { DomainError, type Violation } from '../errors.js';
import { presentable } from '../transport/unexpected.js';
import { problemOf, sendError } from '../transport/http-errors.js';
import { requestOf } from './descriptors.js';
import { fromQuery, strictJson } from './json.js';
import { openApi } from './openapi.js';
import { ApiRouter, type Route } from './router.js';
import { encodedOnce, pump } from './stream.js';

const HEARTBEAT_MS = 15_000;

const EVENT_STREAM = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  Connection: 'keep-alive',
  'X-Accel-Buffering': 'no',
};

/** Serves every rpc that has an address over HTTP: JSON for a message, server-sent events for a stream. */
@Injectable()
export class HttpDoor implements OnModuleInit {
  constructor(
    private readonly api: ApiRouter,
    private readonly host: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const routes = this.api.routes();
    const document = openApi(routes.map(({ rpc }) => rpc));
    this.host.httpAdapter
      .getInstance<Express>()
      .get('/openapi.json', (_request, response) => void response.json(document))
      .use(routerOf(routes));
  }
}

function routerOf(routes: Route[]): Router {
  const router = express.Router();
  const addressed = routes.flatMap((route) => (route.rpc.http ? [{ route, http: route.rpc.http }] : []));
  // A literal part goes before a variable at the same place: /schedules/preview is no schedule.
  addressed.sort((a, b) => compare(a.http.path.replaceAll('{', '\uffff'), b.http.path.replaceAll('{', '\uffff')));
  for (const { route, http } of addressed) router[http.verb](expressPath(http), answering(route, http));
  for (const path of new Set(addressed.map(({ http }) => expressPath(http)))) {
    const allowed = addressed.filter(({ http }) => expressPath(http) === path).map(({ http }) => http.verb.toUpperCase());
    router.all(path, methodNotAllowed(allowed.join(', ')));
  }
  return router;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const expressPath = ({ path }: HttpBinding): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

const methodNotAllowed =
  (allowed: string): RequestHandler =>
  (request, response, next) => {
    if (request.method === 'OPTIONS' || request.method === 'HEAD') {
      next();
      return;
    }
    response.set('Allow', allowed);
    sendError(response, new DomainError('INVALID_ARGUMENT', `${request.method} is not allowed here. Use ${allowed}.`), 405);
  };

function answering(route: Route, http: HttpBinding): RequestHandler {
  const { requestType, responseType, responseStream } = route.rpc.method;
  const descriptor = requestOf(route.rpc);
  const eventOf = encodedOnce((message) => Buffer.from(`event: update\ndata: ${JSON.stringify(responseType.toJSON(message))}\n\n`));
  const respond = async (request: Request, response: Response): Promise<void> => {
    const message = requestType.fromJSON(read(descriptor, http, request));
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await route.call(message, gone.signal);
    if (responseStream) await sendEvents(response, answer as AsyncIterable<object>, eventOf, gone.signal);
    else response.json(responseType.toJSON(answer as object));
  };
  return (request: Request, response: Response, next: NextFunction) => void respond(request, response).catch(next);
}

/** The request's JSON: the variables of its path, and its body or else its query. */
function read(message: DescMessage, http: HttpBinding, request: Request): object {
  const violations: Violation[] = [];
  const rest: unknown = http.body ? (request.body ?? {}) : fromQuery(message, request.query);
  const json = { ...strictJson(message, rest, violations), ...strictJson(message, request.params, violations) };
  if (violations.length > 0) throw DomainError.ofViolations(violations);
  return json;
}

/**
 * Sends each message as an event `update`, then `end`. An error before the first message is thrown (and becomes an HTTP status), a
 * later one is an event `error`.
 */
async function sendEvents(
  response: Response,
  messages: AsyncIterable<object>,
  eventOf: (message: object) => Buffer,
  gone: AbortSignal,
): Promise<void> {
  const write = (event: string | Buffer): boolean => {
    if (!response.headersSent) response.writeHead(200, EVENT_STREAM);
    return response.write(event);
  };
  const heartbeat = setInterval(() => response.headersSent && response.write(': heartbeat\n\n'), HEARTBEAT_MS);
  try {
    await pump(messages, response, (message) => write(eventOf(message)), gone);
    write('event: end\ndata: {}\n\n');
    response.end();
  } catch (error) {
    if (gone.aborted) return;
    if (!response.headersSent) throw error;
    write(`event: error\ndata: ${JSON.stringify(problemOf(presentable(error)))}\n\n`);
    response.end();
  } finally {
    clearInterval(heartbeat);
  }
}
