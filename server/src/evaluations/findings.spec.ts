import { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
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

test('says what helped and where, in one sentence', () => {
  const found = findingsOf([score('a', 'base', 0, 0), score('a', 'stage1', 10, 2), score('b', 'stage1', 1, 2)]);
  expect(found).toStrictEqual(['Stage 1 helped: better than the base model on a; no clear change on b.']);
});

test('says plainly when a stage does not help, or does harm', () => {
  expect(findingsOf([score('a', 'stage2', 1, 2)])[0] ?? '').toMatch(
    /^Stage 2 did not help: the difference from the base model is within chance on a/,
  );
  expect(findingsOf([score('a', 'stage1', -5, 2)])[0] ?? '').toMatch(/^Stage 1 did not help: worse than the base model on a/);
  expect(findingsOf([score('a', 'stage1', -5, 2), score('b', 'stage1', 5, 2)])[0] ?? '').toMatch(/helped on b and did harm on a/);
});

test('a lower figure is the better one where the metric says so', () => {
  const found = findingsOf([score('a', 'stage1', -5, 2, { higherIsBetter: false, metric: 'hallucinated' })]);
  expect(found[0] ?? '').toMatch(/^Stage 1 helped/);
});

test('describe-and-respond alone is no merit of the training', () => {
  const found = findingsOf([score('a', 'stage1', 0, 2), score('a', 'stage1', 9, 2, { mode: 'dar' })]);
  expect(found[0] ?? '').toMatch(/^Stage 1 did not help/);
  expect(found[1] ?? '').toMatch(/^With describe-and-respond, .*: stage 1 is better on a\.$/);
});

test('a score that always giving the most frequent answer reaches is told', () => {
  const found = findingsOf([score('a', 'stage1', 5, 2, { majority: 58, value: 55 })]);
  expect(found.at(-1) ?? '').toMatch(/^No better than always giving the most frequent answer: stage 1 on a\.$/);
});

test('nothing is found without scores, and secondary metrics stay out', () => {
  expect(findingsOf([])).toStrictEqual([]);
  expect(findingsOf([score('a', 'stage1', 5, 2, { primary: false })])).toStrictEqual([]);
});

test('many benchmarks make a few sentences, not a line each', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const subjects = ['base', 'stage1', 'stage2'];
  const all = names.flatMap((name) =>
    subjects.flatMap((subject) => (['plain', 'dar'] as const).map((mode) => score(name, subject, 9, 2, { mode, majority: 99 }))),
  );
  const found = findingsOf(all);
  expect(found).toHaveLength(4);
  expect(found[0]).toBe('Stage 1 helped: better than the base model on a, b, c and 3 more.');
});
