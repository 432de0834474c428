import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseTrainer, freeSlots, placeable, whyWaiting } from './trainer-selection.js';
import type { Candidate } from './trainer-selection.js';

const trainer = (address: string, over: Partial<Candidate> = {}): Candidate => ({
  address,
  healthy: true,
  capacity: 1,
  activeJobs: [],
  labels: {},
  gpuMemoryGib: 0,
  ...over,
});
const requires = (labels: Record<string, string>, gpuMemoryGib = 0): { labels: Record<string, string>; gpuMemoryGib: number } => ({
  labels,
  gpuMemoryGib,
});
const waiting = (id: string, labels?: Record<string, string>): { id: string; requires: ReturnType<typeof requires> | null } => ({
  id,
  requires: labels ? requires(labels) : null,
});

test('a trainer has room for its capacity less what it reports and what was placed on it since', () => {
  const busy = trainer('a', { capacity: 2, activeJobs: ['1'] });
  assert.equal(freeSlots(busy, []), 1);
  assert.equal(freeSlots(busy, [{ id: '1', trainer: 'a' }]), 1);
  assert.equal(freeSlots(busy, [{ id: '2', trainer: 'a' }]), 0);
  assert.equal(freeSlots(busy, [{ id: '2', trainer: 'b' }]), 1);
  assert.equal(freeSlots({ ...busy, healthy: false }, []), 0);
});

test('the next attempt goes where its work lies, else where there is most room', () => {
  const trainers = [trainer('a'), trainer('b', { capacity: 3 })];
  assert.equal(chooseTrainer(trainers, [], null, undefined), 'b');
  assert.equal(chooseTrainer(trainers, [], null, 'a'), 'a');
  assert.equal(chooseTrainer(trainers, [{ id: '1', trainer: 'a' }], null, 'a'), 'b');
  assert.equal(chooseTrainer([], [], null, 'a'), undefined);
});

test('a trainer must have every required label with its value, and the memory', () => {
  const trainers = [trainer('plain'), trainer('big', { labels: { tag: 'a100', room: '1' }, gpuMemoryGib: 80 })];
  assert.equal(chooseTrainer(trainers, [], requires({ tag: 'a100' }, 20), 'plain'), 'big', 'earlier work does not weigh more');
  assert.equal(chooseTrainer(trainers, [], requires({ tag: 'h100' }), undefined), undefined);
  assert.equal(chooseTrainer(trainers, [], requires({}, 81), undefined), undefined);
  assert.equal(chooseTrainer(trainers, [], requires({}, 80), undefined), 'big');
});

test('stages are taken in order, and one that no trainer fits keeps none behind it from going', () => {
  const trainers = [trainer('a', { capacity: 2 }), trainer('b', { labels: { tag: 'a100' } })];
  const queue = [waiting('1', { tag: 'h100' }), waiting('2'), waiting('3', { tag: 'a100' }), waiting('4'), waiting('5')];
  const ids = (open: { id: string; trainer: string }[]): string[] => placeable(queue, trainers, open).map(({ id }) => id);
  assert.deepEqual(ids([]), ['2', '3', '4']);
  assert.deepEqual(ids([{ id: 'x', trainer: 'b' }]), ['2', '4']);
  assert.deepEqual(placeable(queue, [], []), []);
});

test('what a stage waits for is said in words', () => {
  const a = trainer('a', { labels: { tag: 'a100' } });
  const b = trainer('b', { gpuMemoryGib: 24 });
  assert.equal(whyWaiting(null, [trainer('a', { healthy: false })], []), 'no trainer can be reached');
  assert.equal(whyWaiting(requires({ tag: 'h100' }), [a, b], []), 'no trainer has label tag=h100');
  assert.equal(whyWaiting(requires({}, 40), [a, b], []), 'no trainer has 40 GiB of GPU memory');
  assert.equal(whyWaiting(requires({ tag: 'a100' }, 20), [a, b], []), 'no trainer has all of: label tag=a100, 20 GiB of GPU memory');
  assert.equal(whyWaiting(requires({ tag: 'a100' }), [a, b], [{ id: 'x', trainer: 'a' }]), 'every trainer that fits is busy');
  assert.equal(whyWaiting(null, [a], [{ id: 'x', trainer: 'a' }]), 'every trainer is busy');
  assert.equal(whyWaiting(null, [a], []), '');
});
