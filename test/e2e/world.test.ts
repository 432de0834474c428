import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { demo, openFolder } from '../support/demo.js';
import type { Outcome } from '../support/demo.js';

const folder = openFolder();
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

let first: Outcome;

test('one command runs the whole recipe on the embedded world and shows the comparison', { timeout: 400_000 }, async () => {
  first = await demo(folder, '--max-images', '12');
  const { output, facts } = first;
  assert.equal(facts.state, 'succeeded');
  assert.equal(facts.error, null);
  assert.ok((facts.seconds ?? 0) > 0);
  assert.deepEqual(
    facts.inputs.map(({ role }) => role),
    ['images', 'instructions', 'benchmark', 'benchmark', 'benchmark'],
  );
  for (const said of ['The run succeeded', 'world-descriptions', 'stage 1', 'stage 2', 'DaR', '/runs/', 'plants the weakness']) {
    assert.ok(output.includes(said), `the output says "${said}"`);
  }
  for (const stage of ['prefer', 'dpo', 'describe', 'infuse', 'sft', 'evaluate']) assert.match(output, new RegExp(`✓ ${stage}`));
});

test('the comparison has every benchmark with base and both stages, plain and DaR, and intervals that hold', () => {
  const { comparison, outcome, findings, recipe } = first.facts;
  assert.deepEqual([...new Set(comparison.map(({ benchmark }) => benchmark))].sort(), [
    'world-descriptions',
    'world-multi',
    'world-questions',
  ]);
  for (const { benchmark, metric, n, base, stage1, stage2, primary } of comparison) {
    const name = `${benchmark}/${metric}`;
    assert.equal(n, 10, name);
    assert.ok(stage2, name);
    for (const [subject, cells] of Object.entries({ base, stage1, stage2 })) {
      if (primary) assert.deepEqual(Object.keys(cells).sort(), ['dar', 'plain'], `${name} of ${subject}`);
      for (const { value, difference, low, high } of Object.values(cells)) {
        assert.ok(value >= 0 && value <= 100, `${name} ${value}`);
        assert.ok(low <= difference && difference <= high, `${name} [${low}, ${high}] around ${difference}`);
        assert.ok(Math.abs(value - base.plain.value - difference) < 1e-3, `${name}: the difference is to base, plain`);
      }
    }
  }
  assert.equal(comparison.filter(({ primary }) => primary).length, 3);
  assert.ok(findings.length > 0);
  assert.match(outcome, /^No gate: .*best is .* on the mean of 3 benchmarks, clear on \d, against base/);
  assert.equal((recipe['prefer'] as { max_images: number }).max_images, 12);
});

test('the same command again shows the same run instead of training twice', { timeout: 120_000 }, async () => {
  const again = await demo(folder, '--max-images', '12');
  assert.equal(again.facts.run_id, first.facts.run_id);
  assert.deepEqual(again.facts.comparison, first.facts.comparison);
  assert.match(again.output, /This recipe ran on this data before/);
});
