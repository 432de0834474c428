import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ChannelOptions, Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { authority, freePort } from './addresses.js';
import { DIRECT, reasonOf } from './grpc-channel.js';

const HOST = '127.0.0.1';
/** Answers every call with UNIMPLEMENTED: whoever hears that has reached it. */
const server = new Server();
let address: string;
let nowhere: string;

before(async () => {
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(authority(HOST, 0), ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = authority(HOST, port);
  nowhere = authority(HOST, await freePort(HOST));
});
after(() => server.forceShutdown());

/** How a call on a new channel ends. */
async function call(to: string, options: ChannelOptions): Promise<ServiceError> {
  const client = new Client(to, credentials.createInsecure(), options);
  const bytes = (value: Buffer): Buffer => value;
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest('/none/None', bytes, bytes, Buffer.alloc(0), (ended) => resolve(ended)),
  );
  client.close();
  assert.ok(error);
  return error;
}

test('our channels go past the proxy that the environment names', async () => {
  const before = process.env['http_proxy'];
  process.env['http_proxy'] = `http://${nowhere}`;
  try {
    assert.equal((await call(address, {})).code, status.UNAVAILABLE, 'the proxy is taken otherwise');
    assert.equal((await call(address, DIRECT)).code, status.UNIMPLEMENTED);
  } finally {
    if (before === undefined) delete process.env['http_proxy'];
    else process.env['http_proxy'] = before;
  }
});

test('the reason that a call did not get through is one phrase', async () => {
  assert.equal(reasonOf((await call(nowhere, DIRECT)).details), `connect ECONNREFUSED ${nowhere}`);
  for (const details of ['', 'No connection established. Last error: undefined. Resolution note: ', 'null']) {
    assert.equal(reasonOf(details), 'no connection was established');
  }
  assert.equal(
    reasonOf('Name resolution failed for target dns:none:1. Resolution note: x'),
    'Name resolution failed for target dns:none:1',
  );
});
