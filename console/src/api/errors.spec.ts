import { ApiError, type Problem } from '@stic/api/http.js';
import { hintOf, isMissing, isRefusal, objectionTo } from './errors.js';

const problem = (rest: Partial<Problem>): ApiError => new ApiError({ code: 'INVALID_ARGUMENT', status: 400, detail: 'No.', ...rest });

test('every field at fault has its message', () => {
  const errors = [
    { field: 'spec.name', message: 'spec.name is missing.' },
    { field: 'spec.cron', message: 'spec.cron is missing.' },
  ];
  const error = problem({ field: 'spec.name', errors });
  const nameOf = (field: string): string => field.replace('spec.', '');
  expect(['name', 'cron', 'zone'].map((name) => objectionTo(error, name, nameOf))).toStrictEqual([
    'spec.name is missing.',
    'spec.cron is missing.',
    undefined,
  ]);
  expect(objectionTo(problem({ field: 'url' }), 'url')).toBe('No.');
});

test('an unknown id and an address without an id are missing things', () => {
  expect(isMissing(problem({ code: 'NOT_FOUND', status: 404 }))).toBe(true);
  expect(isMissing(problem({ field: 'run_id' }))).toBe(true);
  expect(isMissing(problem({ field: 'page_token' }))).toBe(false);
});

test('a server that is not reached is no refusal, and there is something to do', () => {
  const unreached = problem({ code: 'UNAVAILABLE', status: 0 });
  expect(isRefusal(unreached)).toBe(false);
  expect(hintOf(unreached)).toMatch(/^Check that the server runs\./);
  expect(isRefusal(problem({}))).toBe(true);
});
