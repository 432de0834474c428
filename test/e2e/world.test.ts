import { rmSync } from 'node:fs';
import { demo, openFolder } from '../support/demo.js';
import type { Outcome } from '../support/demo.js';
import { ensure } from '../support/expect.js';

const folder = openFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

let first: Outcome;

test('one command runs the whole recipe on the embedded world and shows the comparison', async () => {
  first = await demo(folder, '--max-images', '12');
  const { output, facts } = first;
  expect(facts.state).toBe('succeeded');
  expect(facts.error).toBeNull();
  expect(facts.seconds ?? 0).toBeGreaterThan(0);
  expect(facts.inputs.map(({ role }) => role)).toStrictEqual(['images', 'instructions', 'benchmark', 'benchmark', 'benchmark']);
  for (const said of ['The run succeeded', 'world-descriptions', 'stage 1', 'stage 2', 'DaR', '/runs/', 'plants the weakness']) {
    expect(output, `the output says "${said}"`).toContain(said);
  }
  for (const stage of ['prefer', 'dpo', 'describe', 'infuse', 'sft', 'evaluate']) expect(output).toMatch(new RegExp(`✓ ${stage}`));
}, 400_000);

test('the comparison has every benchmark with base and both stages, plain and DaR, and intervals that hold', () => {
  const { comparison, outcome, findings, recipe } = first.facts;
  expect([...new Set(comparison.map(({ benchmark }) => benchmark))].sort()).toStrictEqual([
    'world-descriptions',
    'world-multi',
    'world-questions',
  ]);
  for (const { benchmark, metric, n, base, stage1, stage2, primary } of comparison) {
    const name = `${benchmark}/${metric}`;
    expect(n, name).toBe(10);
    ensure(stage2, name);
    for (const [subject, cells] of Object.entries({ base, stage1, stage2 })) {
      if (primary) expect(Object.keys(cells).sort(), `${name} of ${subject}`).toStrictEqual(['dar', 'plain']);
      for (const { value, difference, low, high } of Object.values(cells)) {
        expect(value, `${name} ${value}`).toBeGreaterThanOrEqual(0);
        expect(value, `${name} ${value}`).toBeLessThanOrEqual(100);
        expect(low, `${name} [${low}, ${high}] around ${difference}`).toBeLessThanOrEqual(difference);
        expect(difference, `${name} [${low}, ${high}] around ${difference}`).toBeLessThanOrEqual(high);
        expect(Math.abs(value - base.plain.value - difference), `${name}: the difference is to base, plain`).toBeLessThan(1e-3);
      }
    }
  }
  expect(comparison.filter(({ primary }) => primary)).toHaveLength(3);
  expect(findings.length).toBeGreaterThan(0);
  expect(outcome).toMatch(/^No gate: .*best is .* on the mean of 3 benchmarks, clear on \d, against base/);
  expect((recipe['prefer'] as { max_images: number }).max_images).toBe(12);
});

test('the same command again shows the same run instead of training twice', async () => {
  const again = await demo(folder, '--max-images', '12');
  expect(again.facts.run_id).toBe(first.facts.run_id);
  expect(again.facts.comparison).toStrictEqual(first.facts.comparison);
  expect(again.output).toMatch(/This recipe ran on this data before/);
}, 120_000);
