import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  for (const [seconds, text] of cases) assert.equal(clock(seconds), text);
});

test('a bar fills with the work, and is empty as long as the whole is unknown', () => {
  assert.equal(bar(0, 10, 4), '░░░░');
  assert.equal(bar(5, 10, 4), '██░░');
  assert.equal(bar(12, 10, 4), '████');
  assert.equal(bar(3, 0, 4), '░░░░');
});

test('the same request has the same id, in the form of a UUID; another has another', () => {
  const id = requestIdFor('demo dataset', 'images', '/photos', '');
  assert.equal(requestIdFor('demo dataset', 'images', '/photos', ''), id);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(requestIdFor('demo dataset', 'images', '/photo', 's'), requestIdFor('demo dataset', 'images', '/photos', ''));
});
