import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { assertFree, authority, CONSOLE, freePort, GRPC, listenFault, reachable } from './addresses.js';

const HOST = '127.0.0.1';
let other: Server;
let taken: number;

beforeAll(async () => {
  other = createServer().listen(0, HOST);
  await once(other, 'listening');
  taken = (other.address() as AddressInfo).port;
});
afterAll(() => {
  other.close();
});

const fault = (message: string, hint: string): unknown => expect.objectContaining({ code: 'FAILED_PRECONDITION', message, hint });

test('an address is written as in a URL, and a server on all interfaces is reached on this machine', () => {
  expect([authority('::1', 80), authority('example.org', 80)]).toStrictEqual(['[::1]:80', 'example.org:80']);
  expect(['0.0.0.0', '::', '10.0.0.7'].map(reachable)).toStrictEqual(['127.0.0.1', '::1', '10.0.0.7']);
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
  await expect(assertFree(HOST, taken, CONSOLE)).rejects.toEqual(
    fault(`The console cannot listen on ${HOST}:${taken}: ${words}`, 'Set STIC_HTTP_PORT to a free port, or to 0 for any.'),
  );
  await assertFree(HOST, 0, CONSOLE);
});

test('an address of another machine is refused with the variable of the host', async () => {
  await expect(assertFree('192.0.2.1', 0, GRPC)).rejects.toEqual(
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
  expect(error.message).toBe(`gRPC cannot listen on ${HOST}:${taken}: another program uses the port.`);
  expect(error.hint ?? '').toMatch(/STIC_GRPC_PORT/);
});
