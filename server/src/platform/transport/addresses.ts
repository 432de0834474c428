import { createServer } from 'node:net';
import { DomainError, messageOf } from '../errors.js';
import { codeOf, pathFault } from '../path-faults.js';

/** host:port, an IPv6 host in brackets. */
export const authority = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Where a server bound to `host` is reached from this machine. */
export const reachable = (host: string): string => ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[host] ?? host;

/** What listens: in words, and the variable that holds its port. */
export type Listener = { what: string; variable: string };
export const CONSOLE: Listener = { what: 'The console', variable: 'STIC_HTTP_PORT' };
export const GRPC: Listener = { what: 'gRPC', variable: 'STIC_GRPC_PORT' };

/** Tries to listen and lets go again; DomainError when the address cannot be had. Port 0 is always free. */
export async function assertFree(host: string, port: number, listener: Listener): Promise<void> {
  try {
    await freePort(host, port);
  } catch (error) {
    throw listenFault(error, host, port, listener);
  }
}

/** The port, or for 0 one that the system picks, once it could be listened on. */
export function freePort(host: string, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(port, host, () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
      });
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses the port',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'it is not an address of this machine',
  ENOTFOUND: 'there is no such host',
  EAFNOSUPPORT: 'this machine has no IPv6',
};

/** The error of a listen call as a sentence, its hint naming the setting at fault. */
export function listenFault(cause: unknown, host: string, port: number, { what, variable }: Listener): DomainError {
  // grpc-js has the system's code in its words only.
  const code = Object.keys(REASONS).find((name) => codeOf(cause) === name || messageOf(cause).includes(name)) ?? '';
  const isPort = code === 'EADDRINUSE' || code === 'EACCES';
  return new DomainError(
    'FAILED_PRECONDITION',
    `${what} cannot listen on ${authority(host, port)}: ${REASONS[code] ?? pathFault(cause)}.`,
    {
      hint: isPort ? `Set ${variable} to a free port, or to 0 for any.` : 'Set STIC_HOST to an address of this machine.',
      cause,
    },
  );
}
