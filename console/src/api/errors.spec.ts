import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  assert.deepEqual(
    ['name', 'cron', 'zone'].map((name) => objectionTo(error, name, nameOf)),
    ['spec.name is missing.', 'spec.cron is missing.', undefined],
  );
  assert.equal(objectionTo(problem({ field: 'url' }), 'url'), 'No.');
});

test('an unknown id and an address without an id are missing things', () => {
  assert.ok(isMissing(problem({ code: 'NOT_FOUND', status: 404 })));
  assert.ok(isMissing(problem({ field: 'run_id' })));
  assert.ok(!isMissing(problem({ field: 'page_token' })));
});

test('a server that is not reached is no refusal, and there is something to do', () => {
  const unreached = problem({ code: 'UNAVAILABLE', status: 0 });
  assert.ok(!isRefusal(unreached));
  assert.match(hintOf(unreached), /^Check that the server runs\./);
  assert.ok(isRefusal(problem({})));
});
