import { type ChannelOptions, Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { authority, freePort } from './addresses.js';
import { DIRECT, reasonOf } from './grpc-channel.js';
import { ensure } from '../../../../test/support/expect.js';

const HOST = '127.0.0.1';
/** Answers every call with UNIMPLEMENTED: whoever hears that has reached it. */
const server = new Server();
let address: string;
let nowhere: string;

beforeAll(async () => {
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(authority(HOST, 0), ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = authority(HOST, port);
  nowhere = authority(HOST, await freePort(HOST));
});
afterAll(() => server.forceShutdown());

/** How a call on a new channel ends. */
async function call(to: string, options: ChannelOptions): Promise<ServiceError> {
  const client = new Client(to, credentials.createInsecure(), options);
  const bytes = (value: Buffer): Buffer => value;
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest('/none/None', bytes, bytes, Buffer.alloc(0), (ended) => resolve(ended)),
  );
  client.close();
  ensure(error);
  return error;
}

test('our channels go past the proxy that the environment names', async () => {
  const before = process.env['http_proxy'];
  process.env['http_proxy'] = `http://${nowhere}`;
  try {
    expect((await call(address, {})).code, 'the proxy is taken otherwise').toBe(status.UNAVAILABLE);
    expect((await call(address, DIRECT)).code).toBe(status.UNIMPLEMENTED);
  } finally {
    if (before === undefined) delete process.env['http_proxy'];
    else process.env['http_proxy'] = before;
  }
});

test('the reason that a call did not get through is one phrase', async () => {
  expect(reasonOf((await call(nowhere, DIRECT)).details)).toBe(`connect ECONNREFUSED ${nowhere}`);
  for (const details of ['', 'No connection established. Last error: undefined. Resolution note: ', 'null']) {
    expect(reasonOf(details)).toBe('no connection was established');
  }
  expect(reasonOf('Name resolution failed for target dns:none:1. Resolution note: x')).toBe('Name resolution failed for target dns:none:1');
});
