import { Bell, pause } from './timing.js';

const LONG = 60_000;

test('a pause tells whether its time has passed or it was ended early', async () => {
  expect(await pause(1)).toBe(true);
  expect(await pause(LONG, AbortSignal.abort())).toBe(false);
  const early = new AbortController();
  const pausing = pause(LONG, early.signal);
  early.abort();
  expect(await pausing).toBe(false);
});

test('a bell rung before or during the wait ends it, once', async () => {
  const bell = new Bell();
  bell.ring();
  bell.ring();
  await bell.wait(LONG);
  const waiting = bell.wait(LONG);
  bell.ring();
  await waiting;
  const begun = performance.now();
  await bell.wait(30);
  expect(performance.now() - begun, 'no ring is left over').toBeGreaterThanOrEqual(25);
});

test('a wait ends with its signal', async () => {
  const gone = new AbortController();
  const waiting = new Bell().wait(LONG, gone.signal);
  gone.abort();
  await waiting;
});
