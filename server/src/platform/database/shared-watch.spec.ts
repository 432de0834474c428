import { SharedWatch } from './shared-watch.js';
import { ensure } from '../../../../test/support/expect.js';

type Snapshot = { readonly value: number };

/** A watched thing with one loader, which counts its loads. */
function watched(load?: () => Promise<Snapshot>): { state: { value: number; loads: number; idle: number }; loader: SharedWatch<Snapshot> } {
  const state = { value: 1, loads: 0, idle: 0 };
  const counted = (): Promise<Snapshot> => {
    state.loads += 1;
    return load ? load() : Promise.resolve({ value: state.value });
  };
  const loader = new SharedWatch(counted, { intervalMs: 1, pollMs: 600_000 }, () => (state.idle += 1));
  return { state, loader };
}

const opened: AsyncGenerator<Snapshot, void>[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((stream) => stream.return(undefined)));
});

function watch(loader: SharedWatch<Snapshot>, signal = new AbortController().signal): AsyncGenerator<Snapshot, void> {
  const stream = loader.snapshots(signal);
  opened.push(stream);
  return stream;
}

async function next(stream: AsyncGenerator<Snapshot, void>): Promise<Snapshot> {
  const result = await stream.next();
  ensure(result.done !== true);
  return result.value;
}

test('a change is loaded once and every watcher gets the same object', async () => {
  const { state, loader } = watched();
  const streams = Array.from({ length: 50 }, () => watch(loader));
  const first = await Promise.all(streams.map(next));
  expect(new Set(first).size).toBe(1);
  const before = state.loads;
  state.value = 2;
  loader.ring();
  const second = await Promise.all(streams.map(next));
  expect([new Set(second).size, second[0]?.value]).toStrictEqual([1, 2]);
  expect(state.loads).toBe(before + 1);
  await Promise.all(streams.map((stream) => stream.return(undefined)));
  expect(state.idle, 'the loader rests once nobody watches').toBe(1);
});

test('one that joins later gets what was loaded after it joined, never an older snapshot', async () => {
  const { state, loader } = watched();
  const early = watch(loader);
  expect((await next(early)).value).toBe(1);
  state.value = 2;
  const late = watch(loader);
  expect((await next(late)).value, 'although no change was notified').toBe(2);
});

test('a slow watcher misses changes in between, never the latest', async () => {
  const { state, loader } = watched();
  const [slow, fast] = [watch(loader), watch(loader)];
  await Promise.all([next(slow), next(fast)]);
  for (state.value = 2; state.value < 5; state.value++) {
    loader.ring();
    expect((await next(fast)).value).toBe(state.value);
  }
  expect((await next(slow)).value).toBe(4);
});

test('a load that fails fails every watcher, and the signal ends one alone', async () => {
  let answer = (): Promise<Snapshot> => Promise.resolve({ value: 1 });
  const { loader } = watched(() => answer());
  const leaving = new AbortController();
  const [left, failed] = [watch(loader, leaving.signal), watch(loader)];
  await Promise.all([next(left), next(failed)]);
  leaving.abort();
  expect((await left.next()).done).toBe(true);
  answer = () => Promise.reject(new Error('gone'));
  loader.ring();
  await expect(failed.next()).rejects.toThrow(/gone/);
});
