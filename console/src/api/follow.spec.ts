import { ApiError } from '@stic/api/http.js';
import { type Connection, follow } from './follow.js';

type Update = number | ApiError;

const stopping = new ApiError({ code: 'UNAVAILABLE', status: 503, detail: 'The server is stopping.' });

/** Follows streams that are opened one after the other until an update is 3; gives the connection's states and the updates. */
async function followed(streams: Update[][], signal = new AbortController().signal): Promise<{ states: Connection[]; updates: number[] }> {
  const states: Connection[] = [];
  const updates: number[] = [];
  const waiting = streams.values();
  await follow({
    open: async function* () {
      await Promise.resolve();
      for (const update of waiting.next().value ?? []) {
        if (update instanceof ApiError) throw update;
        yield update;
      }
    },
    signal,
    isFinal: (update) => update === 3,
    onUpdate: (update) => updates.push(update),
    onConnection: (state) => states.push(state),
    retryMs: 0,
  });
  return { states, updates };
}

test('ends with the final update', async () => {
  expect(await followed([[1, 2, 3, 4]])).toStrictEqual({ states: ['live', 'live', 'closed'], updates: [1, 2, 3] });
});

test('connects again when the server says that it is stopping', async () => {
  const { states, updates } = await followed([[1, stopping], [stopping], [2, 3]]);
  expect(states).toStrictEqual(['live', 'reconnecting', 'reconnecting', 'live', 'closed']);
  expect(updates).toStrictEqual([1, 2, 3]);
});

test('connects again when a stream ends before the final update', async () => {
  expect((await followed([[1], [3]])).states).toStrictEqual(['live', 'reconnecting', 'closed']);
});

test('does nothing more once nobody looks', async () => {
  expect(await followed([[3]], AbortSignal.abort())).toStrictEqual({ states: [], updates: [] });
});

test('a fault of the page itself is no lost connection', async () => {
  const broken = follow({
    open: async function* () {
      yield await Promise.resolve(1);
    },
    signal: new AbortController().signal,
    isFinal: () => false,
    onUpdate: () => {
      throw new TypeError('broken');
    },
    onConnection: () => undefined,
  });
  await expect(broken).rejects.toThrow(TypeError);
});
