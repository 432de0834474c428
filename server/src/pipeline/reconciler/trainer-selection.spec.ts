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
  expect(freeSlots(busy, [])).toBe(1);
  expect(freeSlots(busy, [{ id: '1', trainer: 'a' }])).toBe(1);
  expect(freeSlots(busy, [{ id: '2', trainer: 'a' }])).toBe(0);
  expect(freeSlots(busy, [{ id: '2', trainer: 'b' }])).toBe(1);
  expect(freeSlots({ ...busy, healthy: false }, [])).toBe(0);
});

test('the next attempt goes where its work lies, else where there is most room', () => {
  const trainers = [trainer('a'), trainer('b', { capacity: 3 })];
  expect(chooseTrainer(trainers, [], null, undefined)).toBe('b');
  expect(chooseTrainer(trainers, [], null, 'a')).toBe('a');
  expect(chooseTrainer(trainers, [{ id: '1', trainer: 'a' }], null, 'a')).toBe('b');
  expect(chooseTrainer([], [], null, 'a')).toBeUndefined();
});

test('a trainer must have every required label with its value, and the memory', () => {
  const trainers = [trainer('plain'), trainer('big', { labels: { tag: 'a100', room: '1' }, gpuMemoryGib: 80 })];
  expect(chooseTrainer(trainers, [], requires({ tag: 'a100' }, 20), 'plain'), 'earlier work does not weigh more').toBe('big');
  expect(chooseTrainer(trainers, [], requires({ tag: 'h100' }), undefined)).toBeUndefined();
  expect(chooseTrainer(trainers, [], requires({}, 81), undefined)).toBeUndefined();
  expect(chooseTrainer(trainers, [], requires({}, 80), undefined)).toBe('big');
});

test('stages are taken in order, and one that no trainer fits keeps none behind it from going', () => {
  const trainers = [trainer('a', { capacity: 2 }), trainer('b', { labels: { tag: 'a100' } })];
  const queue = [waiting('1', { tag: 'h100' }), waiting('2'), waiting('3', { tag: 'a100' }), waiting('4'), waiting('5')];
  const ids = (open: { id: string; trainer: string }[]): string[] => placeable(queue, trainers, open).map(({ id }) => id);
  expect(ids([])).toStrictEqual(['2', '3', '4']);
  expect(ids([{ id: 'x', trainer: 'b' }])).toStrictEqual(['2', '4']);
  expect(placeable(queue, [], [])).toStrictEqual([]);
});

test('what a stage waits for is said in words', () => {
  const a = trainer('a', { labels: { tag: 'a100' } });
  const b = trainer('b', { gpuMemoryGib: 24 });
  expect(whyWaiting(null, [trainer('a', { healthy: false })], [])).toBe('no trainer can be reached');
  expect(whyWaiting(requires({ tag: 'h100' }), [a, b], [])).toBe('no trainer has label tag=h100');
  expect(whyWaiting(requires({}, 40), [a, b], [])).toBe('no trainer has 40 GiB of GPU memory');
  expect(whyWaiting(requires({ tag: 'a100' }, 20), [a, b], [])).toBe('no trainer has all of: label tag=a100, 20 GiB of GPU memory');
  expect(whyWaiting(requires({ tag: 'a100' }), [a, b], [{ id: 'x', trainer: 'a' }])).toBe('every trainer that fits is busy');
  expect(whyWaiting(null, [a], [{ id: 'x', trainer: 'a' }])).toBe('every trainer is busy');
  expect(whyWaiting(null, [a], [])).toBe('');
});
