import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import { assertFree, authority, CONSOLE, freePort, GRPC, listenFault, reachable } from './addresses.js';

const HOST = '127.0.0.1';
let other: Server;
let taken: number;

before(async () => {
  other = createServer().listen(0, HOST);
  await once(other, 'listening');
  taken = (other.address() as AddressInfo).port;
});
after(() => other.close());

const fault =
  (message: string, hint: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DomainError);
    assert.deepEqual([error.code, error.message, error.hint], ['FAILED_PRECONDITION', message, hint]);
    return true;
  };

test('an address is written as in a URL, and a server on all interfaces is reached on this machine', () => {
  assert.deepEqual([authority('::1', 80), authority('example.org', 80)], ['[::1]:80', 'example.org:80']);
  assert.deepEqual(['0.0.0.0', '::', '10.0.0.7'].map(reachable), ['127.0.0.1', '::1', '10.0.0.7']);
});

test('a port that is free can be listened on afterwards', async () => {
  const port = await freePort(HOST);
  await assertFree(HOST, port, CONSOLE);
  const server = createServer().listen(port, HOST);
  await once(server, 'listening');
  server.close();
});

test('a port in use is refused with the variable that names it, and 0 never is', async () => {
  const words = `another program uses the port.`;
  await assert.rejects(
    assertFree(HOST, taken, CONSOLE),
    fault(`The console cannot listen on ${HOST}:${taken}: ${words}`, 'Set STIC_HTTP_PORT to a free port, or to 0 for any.'),
  );
  await assertFree(HOST, 0, CONSOLE);
});

test('an address of another machine is refused with the variable of the host', async () => {
  await assert.rejects(
    assertFree('192.0.2.1', 0, GRPC),
    fault('gRPC cannot listen on 192.0.2.1:0: it is not an address of this machine.', 'Set STIC_HOST to an address of this machine.'),
  );
});

test('what the gRPC library says of a port in use is understood', async () => {
  const server = new GrpcServer();
  const cause = await new Promise<Error | null>((resolve) =>
    server.bindAsync(authority(HOST, taken), ServerCredentials.createInsecure(), resolve),
  );
  server.forceShutdown();
  const error = listenFault(cause, HOST, taken, GRPC);
  assert.equal(error.message, `gRPC cannot listen on ${HOST}:${taken}: another program uses the port.`);
  assert.match(error.hint ?? '', /STIC_GRPC_PORT/);
});
