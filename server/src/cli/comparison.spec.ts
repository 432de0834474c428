import { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import { comparisonJson, tableOf } from './comparison.js';
import { columnsOf } from './text.js';

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
  const lines = tableOf(scores, 120);
  expect(lines.map((line) => line.trim().replaceAll(/\s+/g, ' '))).toStrictEqual([
    '',
    'world-questions n = 40',
    'base stage 1',
    'accuracy ↑ plain 50.0 58.3 +8.3 [+3.0, +13.0]',
    'DaR 52.0 41.0 -9.0 [-14.0, -4.0]',
    'always the most frequent answer: 31.5',
    '',
    'world-descriptions n = 40',
    'base stage 1',
    'hallucinated ↓ plain 12.0',
  ]);
});

test('no line of the table is wider than the terminal, and no figure is lost', () => {
  const all = ['写真 benchmark with a long name '.repeat(3), 'world-questions'].flatMap((benchmark) =>
    (['base', 'stage1', 'stage2'] as const).flatMap((subject) =>
      ['plain', 'dar'].map((mode) => ({ ...score(subject, mode, 100, [-100, -100, -99.5]), benchmark })),
    ),
  );
  for (const columns of [40, 60, 80, 120]) {
    const lines = tableOf(all, columns);
    for (const line of lines) expect(columnsOf(line), `${columns}: ${line}`).toBeLessThanOrEqual(columns);
    const text = lines.join('\n');
    expect(text.match(/ 100\.0/g)?.length, `${columns}\n${text}`).toBe(12);
    expect(text.match(/-100\.0 \[-100\.0, -99\.5\]/g)?.length ?? 0, `${columns}\n${text}`).toBeGreaterThanOrEqual(8);
  }
});

test('a narrow terminal has a line for each model and mode, a very narrow one breaks it', () => {
  const three = [...scores.slice(0, 4), score('stage2', 'plain', 60, [10, 3, 13])];
  expect(tableOf(three, 80).slice(1, 5)).toStrictEqual([
    '  world-questions n = 40',
    '  accuracy ↑     base     plain  50.0',
    '                 base     DaR    52.0  +2.0 [-1.0, +5.0]',
    '                 stage 1  plain  58.3  +8.3 [+3.0, +13.0]',
  ]);
  expect(tableOf(scores.slice(0, 4), 40).slice(1, 6)).toStrictEqual([
    '  world-questions n = 40',
    '  accuracy ↑',
    '    base     plain  50.0',
    '    base     DaR    52.0',
    '      +2.0 [-1.0, +5.0]',
  ]);
});

test('the JSON has every value with its interval, and only subjects that were measured', () => {
  expect(JSON.parse(JSON.stringify(comparisonJson(scores)))).toStrictEqual([
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
  expect(comparisonJson([])).toStrictEqual([]);
});
