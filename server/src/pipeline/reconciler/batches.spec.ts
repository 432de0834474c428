import { pause } from '../../platform/timing.js';
import { batches } from './batches.js';

async function* numbers(count: number, gapMs: number): AsyncGenerator<number, void, undefined> {
  for (let index = 1; index <= count; index++) {
    if (gapMs > 0) await pause(gapMs);
    yield index;
  }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

test('splits a flood into batches of the largest size and keeps the order', async () => {
  const found = await collect(batches(numbers(7, 0), { most: 3, withinMs: 1_000 }));
  expect(found).toStrictEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test('gives a slow source out without waiting for a full batch', async () => {
  const found = await collect(batches(numbers(3, 60), { most: 100, withinMs: 5 }));
  expect(found).toStrictEqual([[1], [2], [3]]);
});

test('passes on the error of its source after what came before it', async () => {
  async function* broken(): AsyncGenerator<number, void, undefined> {
    yield 1;
    await pause(30);
    throw new Error('gone');
  }
  const seen: number[][] = [];
  await expect(
    (async () => {
      for await (const batch of batches(broken(), { most: 10, withinMs: 5 })) {
        seen.push(batch);
        await pause(60);
      }
    })(),
  ).rejects.toThrow(/gone/);
  expect(seen).toStrictEqual([[1]]);
});
