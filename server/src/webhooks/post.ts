import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { messageOf } from '../platform/errors.js';
import { monotonicMs } from '../platform/timing.js';
import { AddressRefused, refuseLiteral } from './address.js';
import type { Try } from './webhook.entity.js';

/** How long a receiver may take, from the lookup to the last byte that is read. */
export const deadlineMs = 10_000;
const longestResponse = 2_048;

export type Outcome = Try & {
  /** The address may not be asked: trying again would change nothing. */
  readonly refused: boolean;
};

export type Target = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Undefined: any address may be asked. */
  readonly lookup: LookupFunction | undefined;
  readonly deadlineMs?: number;
};

/** One POST on a connection of its own, redirects not followed. Whatever happens comes back as the outcome. */
export async function post(target: Target): Promise<Outcome> {
  const begun = monotonicMs();
  const outcome = (what: Partial<Outcome>): Outcome => ({
    at: new Date(begun).toISOString(),
    status: 0,
    response: '',
    error: '',
    refused: false,
    ...what,
    milliseconds: monotonicMs() - begun,
  });
  const limit = target.deadlineMs ?? deadlineMs;
  const deadline = AbortSignal.timeout(limit);
  try {
    return outcome(await send(target, deadline));
  } catch (error) {
    return outcome({
      error: deadline.aborted ? `No answer within ${limit / 1000} seconds.` : messageOf(error) || 'The connection failed.',
      refused: error instanceof AddressRefused,
    });
  }
}

async function send({ url, headers, body, lookup }: Target, signal: AbortSignal): Promise<{ status: number; response: string }> {
  const address = new URL(url);
  if (lookup) refuseLiteral(address);
  const { request } = address.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(
      address,
      // No agent: a connection that is kept would skip the look at its address.
      {
        method: 'POST',
        agent: false,
        signal,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        ...(lookup ? { lookup } : {}),
      },
      (response) => {
        let text = '';
        const done = (): void => resolve({ status: response.statusCode ?? 0, response: text.slice(0, longestResponse) });
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length < longestResponse) return;
          done();
          response.destroy();
        });
        response.on('end', done);
        response.on('error', reject);
      },
    );
    sent.on('error', (error) => reject(innermost(error)));
    sent.end(body);
  });
}

/** A failed connection may come wrapped: one error for all addresses that were tried. */
function innermost(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error ? error : new Error(String(error));
}
