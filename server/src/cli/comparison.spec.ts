import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvaluationScore } from '../gen/stic/trainer/v1/trainer.js';
import { comparisonJson, tableOf } from './comparison.js';

const score = (subject: string, mode: string, value: number, interval: [number, number, number] = [0, 0, 0]): EvaluationScore =>
  EvaluationScore.fromPartial({
    benchmark: 'world-questions',
    metric: 'accuracy',
    primary: true,
    higherIsBetter: true,
    n: 40,
    majority: 31.5,
    subject,
    mode,
    value,
    difference: interval[0],
    low: interval[1],
    high: interval[2],
  });

const scores = [
  score('base', 'plain', 50),
  score('base', 'dar', 52, [2, -1, 5]),
  score('stage1', 'plain', 58.25, [8.25, 3, 13]),
  score('stage1', 'dar', 41, [-9, -14, -4]),
  EvaluationScore.fromPartial({
    ...score('base', 'plain', 12),
    benchmark: 'world-descriptions',
    metric: 'hallucinated',
    higherIsBetter: false,
    majority: -1,
  }),
];

test('the table has a line per mode and a column per subject that was measured', () => {
  const lines = tableOf(scores);
  assert.deepEqual(
    lines.map((line) => line.trim().replaceAll(/\s+/g, ' ')),
    [
      '',
      'world-questions n = 40',
      'base stage 1',
      'accuracy ↑ plain 50.0 58.3 +8.3 [+3.0, +13.0] always the most frequent answer: 31.5',
      'DaR 52.0 41.0 -9.0 [-14.0, -4.0]',
      '',
      'world-descriptions n = 40',
      'base stage 1',
      'hallucinated ↓ plain 12.0',
    ],
  );
});

test('the JSON has every value with its interval, and only subjects that were measured', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(comparisonJson(scores))), [
    {
      benchmark: 'world-questions',
      metric: 'accuracy',
      primary: true,
      higher_is_better: true,
      n: 40,
      majority: 31.5,
      base: { plain: { value: 50, difference: 0, low: 0, high: 0 }, dar: { value: 52, difference: 2, low: -1, high: 5 } },
      stage1: { plain: { value: 58.25, difference: 8.25, low: 3, high: 13 }, dar: { value: 41, difference: -9, low: -14, high: -4 } },
    },
    {
      benchmark: 'world-descriptions',
      metric: 'hallucinated',
      primary: true,
      higher_is_better: false,
      n: 40,
      majority: null,
      base: { plain: { value: 12, difference: 0, low: 0, high: 0 } },
    },
  ]);
  assert.deepEqual(comparisonJson([]), []);
});
