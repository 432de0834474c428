import 'reflect-metadata';
import { Controller, Get, HttpException, type INestApplication, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { status } from '@grpc/grpc-js';
import { DomainError, type ErrorCode } from '../errors.js';
import { fromGrpcError, toGrpcError } from './grpc-errors.js';
import { HttpErrors } from './http-errors.js';

/** A code that is missing here does not compile. */
const STATUSES: Record<ErrorCode, [http: number, grpc: status]> = {
  INVALID_ARGUMENT: [400, status.INVALID_ARGUMENT],
  NOT_FOUND: [404, status.NOT_FOUND],
  ALREADY_EXISTS: [409, status.ALREADY_EXISTS],
  UNAUTHENTICATED: [401, status.UNAUTHENTICATED],
  PERMISSION_DENIED: [403, status.PERMISSION_DENIED],
  ABORTED: [409, status.ABORTED],
  FAILED_PRECONDITION: [400, status.FAILED_PRECONDITION],
  RESOURCE_EXHAUSTED: [429, status.RESOURCE_EXHAUSTED],
  CANCELLED: [499, status.CANCELLED],
  DEADLINE_EXCEEDED: [504, status.DEADLINE_EXCEEDED],
  UNAVAILABLE: [503, status.UNAVAILABLE],
  INTERNAL: [500, status.INTERNAL],
};
const codes = Object.keys(STATUSES) as ErrorCode[];
const whole = (code: ErrorCode): DomainError => new DomainError(code, 'It went wrong.', { field: 'some.field', hint: 'Do that.' });

const thrown: Record<string, unknown> = {
  ...Object.fromEntries(codes.map((code) => [code, whole(code)])),
  plain: new DomainError('NOT_FOUND', 'Nothing there.'),
  secret: new Error('password is very-secret'),
  away: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED', syscall: 'connect' }),
  teapot: new HttpException('short and stout', 418),
};

@Controller()
class Throws {
  @Get('throws/:what')
  throws(@Param('what') what: string): never {
    throw thrown[what];
  }
}

@Module({ controllers: [Throws] })
class ThrowsModule {}

let app: INestApplication;
let url = '';

beforeAll(async () => {
  app = await NestFactory.create(ThrowsModule, { logger: false });
  app.useGlobalFilters(new HttpErrors());
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(() => app.close());

async function ask(what: string): Promise<{ status: number; error: Record<string, unknown> }> {
  const response = await fetch(`${url}/${what}`);
  expect(response.headers.get('content-type') ?? '').toMatch(/^application\/problem\+json/);
  const { type, title, status: told, ...error } = (await response.json()) as Record<string, unknown>;
  expect([type, typeof title, told]).toStrictEqual(['about:blank', 'string', response.status]);
  return { status: response.status, error };
}

test('every code has its HTTP status and leaves with field and hint', async () => {
  for (const code of codes) {
    const errors = [{ field: 'some.field', message: 'It went wrong.' }];
    const error = { code, detail: 'It went wrong.', field: 'some.field', hint: 'Do that.', errors };
    expect(await ask(`throws/${code}`)).toStrictEqual({ status: STATUSES[code][0], error });
  }
});

test('every code has its gRPC status, with the same error in the standard trailer that clients read', () => {
  for (const code of codes) {
    const error = toGrpcError(whole(code));
    expect(error.code).toBe(STATUSES[code][1]);
    expect(error.details).toBe('It went wrong. Do that.');
    const rich = fromGrpcError(error);
    expect([rich?.code, rich?.message, rich?.field, rich?.hint]).toStrictEqual([code, 'It went wrong.', 'some.field', 'Do that.']);
  }
});

test('what an error does not have is left out', async () => {
  expect(await ask('throws/plain')).toStrictEqual({ status: 404, error: { code: 'NOT_FOUND', detail: 'Nothing there.' } });
});

test('an error that was not meant for the caller says only where to look', async () => {
  const { status: http, error } = await ask('throws/secret');
  expect(http).toBe(500);
  expect(JSON.stringify(error)).toMatch(/"detail":"Unexpected error \([0-9a-f-]{36}\)\.","code":"INTERNAL"/);
  expect(JSON.stringify(error)).not.toContain('very-secret');
  expect(toGrpcError(thrown['secret']).details).not.toContain('very-secret');
});

test('a database that is away is UNAVAILABLE, however the driver says it', async () => {
  const { status: http, error } = await ask('throws/away');
  expect([http, error]).toStrictEqual([
    503,
    { code: 'UNAVAILABLE', detail: 'The database does not answer.', hint: 'Try again in a few seconds.' },
  ]);
  const wrapped = (driverError: unknown): Error => Object.assign(new Error('query failed'), { driverError });
  for (const driverError of [
    Object.assign(new Error('terminating connection'), { code: '57P01' }),
    Object.assign(new Error('the database system is starting up'), { code: '57P03' }),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
  ]) {
    expect(toGrpcError(wrapped(driverError)).code, String(driverError)).toBe(status.UNAVAILABLE);
  }
  const wrong = Object.assign(new Error('duplicate key'), { code: '23505' });
  expect(toGrpcError(wrapped(wrong)).code).toBe(status.INTERNAL);
});

test("the framework's own errors take the same form", async () => {
  expect(await ask('nowhere')).toStrictEqual({ status: 404, error: { code: 'NOT_FOUND', detail: 'There is nothing at this address.' } });
  const { status: http, error } = await ask('throws/teapot');
  expect([http, error]).toStrictEqual([400, { code: 'INVALID_ARGUMENT', detail: 'The request cannot be read: short and stout' }]);
});
