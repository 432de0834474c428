import { monotonicMs } from '../../platform/timing.js';

/**
 * Collects what arrives into batches of at most `most`, each given out no later than `withinMs` after its first item. Reads no
 * further ahead than one item, so that a slow consumer slows the producer. The source must end by itself when the consumer leaves.
 */
export async function* batches<T>(
  source: AsyncIterable<T>,
  { most, withinMs }: { most: number; withinMs: number },
): AsyncGenerator<T[], void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const read = (): Promise<IteratorResult<T>> => {
    const item = iterator.next();
    // It is awaited later; failing before that must not count as unhandled.
    item.catch(() => undefined);
    return item;
  };
  let next = read();
  for (;;) {
    const first = await next;
    if (first.done) return;
    const batch = [first.value];
    next = read();
    const deadline = monotonicMs() + withinMs;
    while (batch.length < most) {
      const item = await within(next, deadline - monotonicMs());
      if (item === undefined || item.done) break;
      batch.push(item.value);
      next = read();
    }
    yield batch;
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
