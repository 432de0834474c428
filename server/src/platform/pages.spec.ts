import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DomainError } from './errors.js';
import { checkId, cut, numberPosition, pageSize, pageTokens } from './pages.js';
import { thrown } from '../../../test/support/expect.js';

const timePosition = pageTokens(z.object({ at: z.iso.datetime(), id: z.uuid() }));

function refused(work: () => unknown, field: string): void {
  expect(thrown(work, DomainError)).toMatchObject({ code: 'INVALID_ARGUMENT', field });
}

test('a page has 50 rows when nothing is asked for, and 200 when more are', () => {
  for (const [asked, size] of [
    [0, 50],
    [1, 1],
    [200, 200],
    [201, 200],
    [1_000_000, 200],
  ] as const) {
    expect(pageSize(asked)).toBe(size);
  }
  expect(pageSize(6_000, { usual: 1_000, largest: 5_000 })).toBe(5_000);
  for (const bad of [-1, 1.5, Number.NaN]) refused(() => pageSize(bad), 'page_size');
});

test('a token gives back its position, and none is the first page', () => {
  const position = { at: new Date().toISOString(), id: randomUUID() };
  expect(timePosition.decode(timePosition.encode(position))).toStrictEqual(position);
  expect(timePosition.decode('')).toBeUndefined();
  expect(timePosition.encode(position), 'goes into an address as it is').toMatch(/^[\w-]+$/);
});

test('a token of another list, a cut one and a made-up one are refused', () => {
  const token = timePosition.encode({ at: new Date().toISOString(), id: randomUUID() });
  const forged = Buffer.from(JSON.stringify({ at: "'; DROP TABLE run", id: 'x' })).toString('base64url');
  for (const bad of [numberPosition.encode({ after: 3 }), token.slice(0, -4), 'hello', forged]) {
    refused(() => timePosition.decode(bad), 'page_token');
  }
  refused(() => numberPosition.decode(Buffer.from('{"after":-1}').toString('base64url')), 'page_token');
});

test('the row beyond the page says only that there is more', () => {
  expect(cut([1, 2, 3], 2)).toStrictEqual({ page: [1, 2], last: 2 });
  expect(cut([1, 2], 2)).toStrictEqual({ page: [1, 2], last: undefined });
  expect(cut([], 2)).toStrictEqual({ page: [], last: undefined });
});

test('what is no UUID is no id', () => {
  checkId('run_id', randomUUID());
  for (const bad of ['', '1', 'run', `${randomUUID()}'`]) refused(() => checkId('run_id', bad), 'run_id');
});
