import path from 'node:path';
import { DomainError } from '../errors.js';
import { environmentSchema, loadConfig } from './config.js';
import { repositoryRoot } from './repository.js';
import { ensure, fail } from '../../../../test/support/expect.js';

const root = repositoryRoot();

/** What the person at the terminal is told about a bad environment. */
function refusal(environment: NodeJS.ProcessEnv): string {
  try {
    loadConfig(environment);
  } catch (error) {
    ensure(error instanceof DomainError);
    expect(error.code).toBe('INVALID_ARGUMENT');
    return error.message;
  }
  return fail('the environment was accepted');
}

test('an empty environment gives the embedded database, one local trainer and loopback', () => {
  const config = loadConfig({});
  expect({ ...config, paths: undefined }).toStrictEqual({
    state: path.join(root, '.stic'),
    store: path.join(root, '.stic/store'),
    databaseUrl: undefined,
    trainers: [],
    host: '127.0.0.1',
    httpPort: 7420,
    grpcPort: 7421,
    postgresBinaries: undefined,
    logLevel: 'info',
    dataRoots: [],
    secretKey: undefined,
    webhooksAllowPrivate: false,
    paths: undefined,
  });
});

test('a variable that is set to nothing counts as not set', () => {
  const names = ['STIC_STATE', 'STIC_STORE', 'DATABASE_URL', 'TRAINERS', 'STIC_HOST', 'STIC_HTTP_PORT', 'STIC_LOG_LEVEL', 'PG_BIN'];
  expect(loadConfig(Object.fromEntries(names.map((name) => [name, ' '])))).toStrictEqual(loadConfig({}));
});

test('the store follows the state folder unless it has a place of its own', () => {
  expect(loadConfig({ STIC_STATE: '/data/stic' }).store).toBe('/data/stic/store');
  expect(loadConfig({ STIC_STATE: '/data/stic', STIC_STORE: '/mnt/store' }).store).toBe('/mnt/store');
});

test('trainers are a list of addresses, and port 0 asks for a free one', () => {
  expect(loadConfig({ STIC_DATA_ROOTS: '/data: /mnt/coco:' }).dataRoots).toStrictEqual(['/data', '/mnt/coco']);
  expect(loadConfig({ TRAINERS: 'gpu1:7430, [::1]:7430,,' }).trainers).toStrictEqual(['gpu1:7430', '[::1]:7430']);
  const { httpPort, grpcPort } = loadConfig({ STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '65535' });
  expect([httpPort, grpcPort]).toStrictEqual([0, 65_535]);
});

test('a bad value is named by its variable and never shown', () => {
  const secret = 'very-secret';
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ DATABASE_URL: `mysql://user:${secret}@host/db` }, /DATABASE_URL: must start with postgres:/],
    [{ TRAINERS: `gpu1 ${secret}` }, /TRAINERS: must be host:port, separated by commas/],
    [{ STIC_HTTP_PORT: secret }, /STIC_HTTP_PORT: must be a port number/],
    [{ STIC_GRPC_PORT: '65536' }, /STIC_GRPC_PORT: must be at most 65535/],
    [{ STIC_LOG_LEVEL: secret }, /STIC_LOG_LEVEL: /],
  ];
  for (const [environment, expected] of cases) {
    const message = refusal(environment);
    expect(message).toMatch(expected);
    expect(message).not.toContain(secret);
  }
});

test('all bad values are told at once', () => {
  const message = refusal({ STIC_HTTP_PORT: 'x', STIC_GRPC_PORT: 'y' });
  expect(message).toMatch(/STIC_HTTP_PORT.*STIC_GRPC_PORT/);
});

test('an IPv6 host may be written in brackets', () => {
  expect([loadConfig({ STIC_HOST: '[::1]' }).host, loadConfig({ STIC_HOST: '::1' }).host]).toStrictEqual(['::1', '::1']);
});

test('the default that a description names is what an unset variable stands for', () => {
  const unset = environmentSchema.parse({});
  for (const [name, type] of Object.entries(environmentSchema.shape)) {
    const documented = type.meta()?.['default'];
    if (documented !== undefined) expect(environmentSchema.parse({ [name]: documented }), name).toStrictEqual(unset);
  }
});
