import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvaluationScore } from '../gen/stic/trainer/v1/trainer.js';
import { findingsOf } from './findings.js';

const score = (
  benchmark: string,
  subject: string,
  difference: number,
  half: number,
  over: Partial<EvaluationScore> = {},
): EvaluationScore =>
  EvaluationScore.fromPartial({
    benchmark,
    subject,
    metric: 'f1',
    mode: 'plain',
    primary: true,
    higherIsBetter: true,
    n: 300,
    value: 50 + difference,
    difference,
    low: difference - half,
    high: difference + half,
    majority: -1,
    ...over,
  });

test('says what helped, with figures', () => {
  const found = findingsOf([score('a', 'base', 0, 0), score('a', 'stage1', 10, 2), score('b', 'stage1', 1, 2)]);
  assert.equal(found[0], 'Stage 1 helped: better than the base model on a, 1 of 2 benchmarks, and worse on none.');
  assert.equal(found[1], 'a: Stage 1, plain is better than the base model (f1 60.0, +10.0 points, 95 % interval +8.0 to +12.0, n = 300).');
  assert.equal(found[2], 'No clear change, the interval contains zero: stage 1, plain on b.');
});

test('says plainly when a stage does not help, or does harm', () => {
  assert.match(findingsOf([score('a', 'stage2', 1, 2)])[0] ?? '', /^Stage 2 did not help: on none of the 1 benchmarks/);
  assert.match(findingsOf([score('a', 'stage1', -5, 2)])[0] ?? '', /^Stage 1 did not help: it is worse than the base model on a/);
  assert.match(findingsOf([score('a', 'stage1', -5, 2), score('b', 'stage1', 5, 2)])[0] ?? '', /helped on b and did harm on a/);
});

test('a lower figure is the better one where the metric says so', () => {
  const found = findingsOf([score('a', 'stage1', -5, 2, { higherIsBetter: false, metric: 'hallucinated' })]);
  assert.match(found[0] ?? '', /^Stage 1 helped/);
});

test('describe-and-respond alone is no merit of the training', () => {
  const found = findingsOf([score('a', 'stage1', 0, 2), score('a', 'stage1', 9, 2, { mode: 'dar' })]);
  assert.match(found[0] ?? '', /^Stage 1 did not help/);
  assert.match(found[1] ?? '', /Stage 1, describe-and-respond is better/);
});

test('a score that always giving the most frequent answer reaches is told', () => {
  const found = findingsOf([score('a', 'stage1', 5, 2, { majority: 58, value: 55 })]);
  assert.match(found.at(-1) ?? '', /always giving the most frequent answer scores 58\.0; not above that: stage 1, plain \(55\.0\)/);
});

test('nothing is found without scores, and secondary metrics stay out', () => {
  assert.deepEqual(findingsOf([]), []);
  assert.deepEqual(findingsOf([score('a', 'stage1', 5, 2, { primary: false })]), []);
});
