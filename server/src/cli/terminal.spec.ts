import { requestIdFor } from './clients.js';
import { bar } from './progress.js';
import { clock } from './terminal.js';

test('times are shown as a clock shows them', () => {
  const cases: [number, string][] = [
    [0, '0:00'],
    [-3, '0:00'],
    [59.4, '0:59'],
    [59.6, '1:00'],
    [75, '1:15'],
    [3_599.7, '1:00:00'],
    [3_700, '1:01:40'],
    [360_000, '100:00:00'],
  ];
  for (const [seconds, text] of cases) expect(clock(seconds)).toBe(text);
});

test('a bar fills with the work, and is empty as long as the whole is unknown', () => {
  expect(bar(0, 10, 4)).toBe('░░░░');
  expect(bar(5, 10, 4)).toBe('██░░');
  expect(bar(12, 10, 4)).toBe('████');
  expect(bar(3, 0, 4)).toBe('░░░░');
});

test('the same request has the same id, in the form of a UUID; another has another', () => {
  const id = requestIdFor('demo dataset', 'images', '/photos', '');
  expect(requestIdFor('demo dataset', 'images', '/photos', '')).toBe(id);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(requestIdFor('demo dataset', 'images', '/photo', 's')).not.toBe(requestIdFor('demo dataset', 'images', '/photos', ''));
});
