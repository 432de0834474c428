import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ACTOR_HEADER, asCaller, currentRequestId, REQUEST_ID_HEADER } from '../caller.js';
import { DomainError } from '../errors.js';
import { sendError } from '../transport/http-errors.js';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const HEADERS: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set(HEADERS);
  next();
}

/**
 * A page of another site must not use this interface through its visitor's browser. Bound to loopback, only loopback names are
 * answered (a hostile name may resolve to 127.0.0.1), and an Origin must always be the one the request went to.
 */
export function sameSiteOnly(host: string): RequestHandler {
  const loopbackOnly = LOOPBACK.has(host) || host === '::1';
  return (request, response, next) => {
    const asked = request.headers.host ?? '';
    const { origin } = request.headers;
    if (loopbackOnly && !LOOPBACK.has(hostnameOf(asked))) {
      sendError(response, refused(`This server does not answer to the name "${asked}".`));
    } else if (origin !== undefined && hostOf(origin) !== asked) {
      sendError(response, refused(`Pages of ${origin} may not use this server.`));
    } else next();
  };
}

/** What the request changes is written down under its sender's name. */
export function inCallersName(request: Request, response: Response, next: NextFunction): void {
  const requestId = request.get(REQUEST_ID_HEADER);
  asCaller({ claimed: request.get(ACTOR_HEADER), from: `HTTP ${request.socket.remoteAddress ?? 'unknown'}`, requestId }, () => {
    response.set(REQUEST_ID_HEADER, currentRequestId());
    next();
  });
}

/** Bodies are JSON or absent: a form or plain text, which browsers send across sites without asking, is refused. */
export function jsonOnly(request: Request, response: Response, next: NextFunction): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && request.is('application/json') === false) {
    sendError(response, new DomainError('INVALID_ARGUMENT', 'Send JSON, with Content-Type: application/json.'));
  } else next();
}

const refused = (message: string): DomainError =>
  new DomainError('PERMISSION_DENIED', message, { hint: 'Open it under localhost, or set STIC_HOST to the address it shall listen on.' });

const hostnameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
