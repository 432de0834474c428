import { MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import { moveToUndo, type Step } from './restore.js';
import { type Cell, decide, type Rule } from './rule.js';

const cell = (benchmark: string, difference: number, low: number, high: number, higherIsBetter = true): Cell => ({
  benchmark,
  metric: higherIsBetter ? 'accuracy' : 'chair',
  higherIsBetter,
  n: 100,
  candidate: 70,
  difference,
  low,
  high,
});

const rule: Rule = { maxDrop: 1, minMeanGain: 0.5 };

type Case = { name: string; rule?: Rule; cells: Cell[]; asked?: string[]; promote: boolean; says: RegExp };

const cases: Case[] = [
  { name: 'better everywhere', cells: [cell('a', 4, 2, 6), cell('b', 1, -1, 3)], promote: true, says: /none of the 2 benchmarks.*\+2\.5/ },
  { name: 'better on the one', cells: [cell('a', 4, 2, 6)], promote: true, says: /the one benchmark.*\+4\.0/ },
  { name: 'a drop within the allowance', cells: [cell('a', 4, 2, 6), cell('b', -0.8, -1.5, -0.1)], promote: true, says: /rule holds/ },
  { name: 'a drop of exactly the allowance', cells: [cell('a', 4, 2, 6), cell('b', -1, -2, -0.1)], promote: true, says: /rule holds/ },
  { name: 'a large drop that may be chance', cells: [cell('a', 9, 2, 16), cell('b', -5, -11, 1)], promote: true, says: /rule holds/ },
  { name: 'a large drop that touches zero', cells: [cell('a', 9, 2, 16), cell('b', -5, -11, 0)], promote: true, says: /rule holds/ },
  {
    name: 'a large drop beyond chance, whatever the mean',
    cells: [cell('a', 30, 20, 40), cell('b', -3.2, -5.1, -1.2)],
    promote: false,
    says: /on b the candidate is worse than the champion by 3\.2 points.*at most 1\.0/,
  },
  { name: 'too small a mean', cells: [cell('a', 0.4, 0.1, 0.7)], promote: false, says: /mean gain is \+0\.4 points; at least \+0\.5/ },
  { name: 'a mean of exactly what is asked', cells: [cell('a', 0.5, 0.1, 0.9)], promote: true, says: /rule holds/ },
  {
    name: 'nothing asked of the mean',
    rule: { maxDrop: 0, minMeanGain: 0 },
    cells: [cell('a', 0, 0, 0)],
    promote: true,
    says: /rule holds/,
  },
  {
    name: 'a metric where less is better',
    cells: [cell('a', -10, -12, -8, false)],
    promote: true,
    says: /mean gain of \+10\.0/,
  },
  {
    name: 'a metric where less is better, and it grew',
    cells: [cell('a', 10, 8, 12, false)],
    promote: false,
    says: /worse than the champion by 10\.0 points/,
  },
  {
    name: 'a negative mean may be allowed',
    rule: { maxDrop: 5, minMeanGain: -2 },
    cells: [cell('a', -1, -2, -0.5)],
    promote: true,
    says: /holds/,
  },
  { name: 'nothing was measured', cells: [], asked: [], promote: false, says: /nothing was measured/ },
  {
    name: 'a benchmark without an answer',
    cells: [cell('a', 9, 8, 10)],
    asked: ['a', 'b'],
    promote: false,
    says: /b could not be compared/,
  },
];

for (const { name, cells, promote, says, ...given } of cases) {
  test(`the gate: ${name}`, () => {
    const asked = given.asked ?? cells.map((one) => one.benchmark);
    const decision = decide(given.rule ?? rule, cells, asked, 'the champion');
    expect(decision.promote).toBe(promote);
    expect(decision.reasons[0] ?? '').toMatch(says);
    expect(decision.benchmarks).toHaveLength(cells.length);
    for (const one of cells) expect(decision.reasons.some((reason) => reason.startsWith(`${one.benchmark}: `))).toBe(true);
  });
}

test('every objection is named, and the figures are turned so that more is better', () => {
  const { reasons, benchmarks } = decide(rule, [cell('a', 4, 3, 5, false), cell('b', -2, -3, -1)], ['a', 'b'], 'the base model');
  expect(reasons.filter((reason) => reason.startsWith('Kept'))).toHaveLength(3);
  expect([benchmarks[0]?.gain, benchmarks[0]?.low, benchmarks[0]?.high]).toStrictEqual([-4, -5, -3]);
  expect([benchmarks[0]?.champion, benchmarks[0]?.candidate, benchmarks[0]?.tooBad]).toStrictEqual([66, 70, true]);
  expect(reasons.at(-2) ?? '').toMatch(
    /^a: chair \(less is better\) 66\.0 to 70\.0, gain -4\.0 points, 95 % interval -5\.0 to -3\.0, n = 100\.$/,
  );
});

const { MOVE_KIND_PROMOTED, MOVE_KIND_ROLLED_BACK, MOVE_KIND_SET } = MoveKind;
const steps = (...kinds: MoveKind[]): Step[] =>
  kinds.map((kind, index) => ({ number: index + 1, kind, from: index === 0 ? null : `c${index}` }));

test('rolling back goes further back each time, and starts anew after a new move', () => {
  const undone = (...kinds: MoveKind[]): number | undefined => moveToUndo(steps(...kinds))?.number;
  expect(undone()).toBeUndefined();
  expect(undone(MOVE_KIND_PROMOTED)).toBe(1);
  expect(undone(MOVE_KIND_PROMOTED, MOVE_KIND_SET)).toBe(2);
  expect(undone(MOVE_KIND_PROMOTED, MOVE_KIND_SET, MOVE_KIND_ROLLED_BACK)).toBe(1);
  expect(undone(MOVE_KIND_PROMOTED, MOVE_KIND_SET, MOVE_KIND_ROLLED_BACK, MOVE_KIND_ROLLED_BACK)).toBeUndefined();
  expect(undone(MOVE_KIND_PROMOTED, MOVE_KIND_ROLLED_BACK, MOVE_KIND_SET)).toBe(3);
  expect(undone(MOVE_KIND_PROMOTED, MOVE_KIND_SET, MOVE_KIND_ROLLED_BACK, MOVE_KIND_PROMOTED, MOVE_KIND_ROLLED_BACK)).toBe(1);
});
