import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bell, pause } from './timing.js';

const LONG = 60_000;

test('a pause tells whether its time has passed or it was ended early', async () => {
  assert.equal(await pause(1), true);
  assert.equal(await pause(LONG, AbortSignal.abort()), false);
  const early = new AbortController();
  const pausing = pause(LONG, early.signal);
  early.abort();
  assert.equal(await pausing, false);
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
  assert.ok(performance.now() - begun >= 25, 'no ring is left over');
});

test('a wait ends with its signal', async () => {
  const gone = new AbortController();
  const waiting = new Bell().wait(LONG, gone.signal);
  gone.abort();
  await waiting;
});
