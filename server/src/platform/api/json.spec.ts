import { CreateScheduleRequest, ListTicksRequest } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { SetRetentionPolicyRequest } from '@stic/api/gen/stic/retention/v1/retention.js';
import type { Violation } from '../errors.js';
import { registry } from './descriptors.js';
import { fromQuery, strictJson } from './json.js';
import { ensure } from '../../../../test/support/expect.js';

function descriptor(name: string) {
  const message = registry.getMessage(name);
  ensure(message, name);
  return message;
}

function read(name: string, json: unknown): { json: object; violations: Violation[] } {
  const violations: Violation[] = [];
  return { json: strictJson(descriptor(name), json, violations), violations };
}

const fieldsAtFault = (name: string, json: unknown): string[] => read(name, json).violations.map(({ field }) => field);

const POLICY = 'stic.retention.v1.SetRetentionPolicyRequest';
const SCHEDULE = 'stic.schedules.v1.CreateScheduleRequest';

test('both spellings of a name are read, at every depth', () => {
  const snake = { policy: { enabled: true, hour: 3, rules: { keep_days: 30 } } };
  const camel = { policy: { enabled: true, hour: 3, rules: { keepDays: 30 } } };
  for (const json of [snake, camel]) {
    const { json: normal, violations } = read(POLICY, json);
    expect(violations).toStrictEqual([]);
    expect(SetRetentionPolicyRequest.fromJSON(normal).policy?.rules?.keepDays).toBe(30);
  }
});

test('an unknown field is named with its path, however deep it lies', () => {
  expect(fieldsAtFault(POLICY, { policy: { rules: { keep_dayz: 30 } }, polizy: 1 })).toStrictEqual(['policy.rules.keep_dayz', 'polizy']);
  expect(fieldsAtFault(SCHEDULE, { spec: { inputs: [{ role: 'images' }, { rolle: 'x' }], recipe: { dpo: { betaa: 1 } } } })).toStrictEqual([
    'spec.inputs[1].rolle',
    'spec.recipe.dpo.betaa',
  ]);
});

test('a value of another type is refused, never coerced', () => {
  const wrong: [unknown, string][] = [
    [{ policy: { enabled: 'false' } }, 'policy.enabled'],
    [{ policy: { rules: 'keep everything' } }, 'policy.rules'],
    [{ policy: { hour: 1.5 } }, 'policy.hour'],
    [{ policy: { hour: 2 ** 40 } }, 'policy.hour'],
    [{ policy: [] }, 'policy'],
  ];
  for (const [json, field] of wrong) expect(fieldsAtFault(POLICY, json), JSON.stringify(json)).toStrictEqual([field]);
  const odd = { spec: { name: { a: 1 }, overlap: 'OVERLAP_POLICY_NEVER', inputs: {}, labels: { a: 1 }, catch_up: 1.5 } };
  expect(fieldsAtFault(SCHEDULE, odd).sort()).toStrictEqual(
    ['spec.catch_up', 'spec.inputs', 'spec.name', 'spec.overlap']
      .concat(
        descriptor('stic.schedules.v1.ScheduleSpec').fields.some(({ name }) => name === 'labels') ? ['spec.labels.a'] : ['spec.labels'],
      )
      .sort(),
  );
  expect(fieldsAtFault(POLICY, 'text')).toStrictEqual(['body']);
});

test('null is as good as absent, and an enum is read by its name or its number', () => {
  const { json, violations } = read(SCHEDULE, { request_id: null, spec: { overlap: 2 } });
  expect(violations).toStrictEqual([]);
  expect(CreateScheduleRequest.fromJSON(json).spec?.overlap).toBe(CreateScheduleRequest.fromJSON({ spec: { overlap: 2 } }).spec?.overlap);
  expect(json).not.toHaveProperty('request_id');
});

test("a query's texts take the types of their fields", () => {
  const message = descriptor('stic.schedules.v1.ListTicksRequest');
  const violations: Violation[] = [];
  const json = strictJson(message, fromQuery(message, { schedule_id: 'x', page_size: '5' }), violations);
  expect(violations).toStrictEqual([]);
  expect(ListTicksRequest.fromJSON(json).pageSize).toBe(5);
});

test('a long unknown name is shortened in the answer', () => {
  const [violation] = read(POLICY, { ['x'.repeat(100_000)]: 1 }).violations;
  expect(violation?.message.length ?? 0).toBeLessThan(600);
});
