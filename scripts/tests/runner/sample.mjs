// Tests that must fail, and one that passes: how scripts/tests/runner.mjs knows that failures are seen.
test('passes', () => {
  expect(1, 'one').toBe(1);
});

test('compares', () => {
  expect(1, 'one is two').toBe(2);
});

test('awaits', async () => {
  await expect(Promise.resolve(1), 'it was accepted').rejects.toThrow();
});

test('hangs', () => new Promise(() => {}), 100);

test('fails late', async () => {
  setTimeout(() => {
    throw new Error('nobody catches this');
  }, 10);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
});
