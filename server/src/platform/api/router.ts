import { Injectable } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core/helpers/external-context-creator.js';
import { type Rpc, rpcsOf, type Service } from '@stic/api/service.js';
import { DomainError } from '../errors.js';
import { requestOf } from './descriptors.js';
import { violationsOf } from './rules.js';

/** Nest's context type of a call; its arguments are the request, the signal and the rpc. */
export const API_CONTEXT = 'api';

type Handler = (request: unknown, signal: AbortSignal, rpc: Rpc) => Promise<unknown>;

/** An rpc with what answers it: a message, or an async iterable of them for a stream. */
export type Route = { readonly rpc: Rpc; readonly call: (request: object, signal: AbortSignal) => Promise<unknown> };

/** Every rpc that a feature serves, run inside Nest's guards and interceptors; the two doors bring their calls here. */
@Injectable()
export class ApiRouter {
  private readonly served: { rpc: Rpc; implementation: object }[] = [];

  constructor(private readonly contexts: ExternalContextCreator) {}

  add(service: Service, implementation: object): void {
    for (const rpc of rpcsOf(service)) this.served.push({ rpc, implementation });
  }

  /** To be asked for once modules have started: global guards are known only then. */
  routes(): Route[] {
    return this.served.map(({ rpc, implementation }) => {
      const handler = this.contexts.create<never, typeof API_CONTEXT>(
        implementation,
        checked(rpc, implementation) as (...args: unknown[]) => unknown,
        rpc.key,
        undefined,
        undefined,
        undefined,
        undefined,
        { guards: true, interceptors: true, filters: false },
        API_CONTEXT,
      ) as Handler;
      return { rpc, call: async (request, signal) => handler(request, signal, rpc) };
    });
  }
}

/** The rpc's function for requests that keep the rules of its proto. It runs after the guards: who may not call learns no rules. */
function checked(rpc: Rpc, implementation: object): Handler {
  const method = (implementation as Record<string, Handler>)[rpc.key];
  if (method === undefined) throw new Error(`${rpc.grpcPath} has no implementation`);
  const message = requestOf(rpc);
  return (request, signal) => {
    const violations = violationsOf(message, request as Record<string, unknown>);
    if (violations.length > 0) throw DomainError.ofViolations(violations);
    return method(request, signal, rpc);
  };
}
