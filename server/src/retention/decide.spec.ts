import { KeepReason, type RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';
import { decide, type Fact, type Score } from './decide.js';

const now = new Date('2026-03-31T12:00:00Z');
const none: RetentionRules = { keepLastPerSchedule: 0, keepBestPerBenchmark: 0, keepDays: 0, keepNone: false };
const nightly = { id: 's', name: 'nightly' };

/** A checkpoint of a run of its own that is so many days old. */
const fact = (id: string, days: number, more: Partial<Fact> = {}): Fact => ({
  id,
  runId: `run ${id}`,
  runName: `run ${id}`,
  name: 'stage1',
  adapterSha256: id,
  bytes: 10n,
  baseModelDigest: 'base',
  createdAt: new Date(now.getTime() - days * 86_400_000),
  pinnedAt: null,
  parentId: null,
  succeeded: true,
  schedule: null,
  aliases: [],
  neededBy: [],
  ...more,
});

const score = (checkpointId: string, value: number, more: Partial<Score> = {}): Score => ({
  checkpointId,
  benchmark: 'pope',
  metric: 'f1',
  value,
  higherIsBetter: true,
  ...more,
});

type Case = { name: string; rules?: Partial<RetentionRules>; checkpoints: Fact[]; scores?: Score[]; keeps: Record<string, KeepReason[]> };

const { KEEP_REASON_PINNED, KEEP_REASON_ALIASED, KEEP_REASON_IN_USE, KEEP_REASON_YOUNG } = KeepReason;
const { KEEP_REASON_LAST_OF_SCHEDULE, KEEP_REASON_BEST, KEEP_REASON_LINEAGE } = KeepReason;

const cases: Case[] = [
  { name: 'what no rule keeps goes', checkpoints: [fact('a', 1)], keeps: { a: [] } },
  {
    name: 'pinned, aliased and needed ones stay under every rule, each with its reason',
    checkpoints: [
      fact('pinned', 9, { pinnedAt: now }),
      fact('champion', 9, { aliases: ['It is the champion.'] }),
      fact('needed', 9, { neededBy: ['tonight'] }),
      fact('all', 9, { pinnedAt: now, aliases: ['It is the champion.'], neededBy: ['tonight'] }),
    ],
    keeps: {
      pinned: [KEEP_REASON_PINNED],
      champion: [KEEP_REASON_ALIASED],
      needed: [KEEP_REASON_IN_USE],
      all: [KEEP_REASON_PINNED, KEEP_REASON_ALIASED, KEEP_REASON_IN_USE],
    },
  },
  {
    name: 'young is younger than so many days',
    rules: { keepDays: 7 },
    checkpoints: [fact('young', 6.99), fact('old', 7)],
    keeps: { young: [KEEP_REASON_YOUNG], old: [] },
  },
  {
    name: 'the last of a schedule are runs, not checkpoints, and only those that succeeded count',
    rules: { keepLastPerSchedule: 2 },
    checkpoints: [
      fact('failed', 1, { schedule: nightly, succeeded: false }),
      fact('2b', 2, { schedule: nightly, runId: '2' }),
      fact('2a', 2, { schedule: nightly, runId: '2' }),
      fact('other', 2, { schedule: { id: 't', name: 'weekly' } }),
      fact('by hand', 2),
      fact('3', 3, { schedule: nightly }),
      fact('4', 4, { schedule: nightly }),
    ],
    keeps: {
      failed: [],
      '2b': [KEEP_REASON_LAST_OF_SCHEDULE],
      '2a': [KEEP_REASON_LAST_OF_SCHEDULE],
      other: [KEEP_REASON_LAST_OF_SCHEDULE],
      'by hand': [],
      '3': [KEEP_REASON_LAST_OF_SCHEDULE],
      '4': [],
    },
  },
  {
    name: 'the best of a benchmark, whichever way is better, per base model; of equal ones the newer',
    rules: { keepBestPerBenchmark: 1 },
    checkpoints: [fact('equal', 1), fact('best', 2), fact('low', 3), fact('other base', 4, { baseModelDigest: 'b' })],
    scores: [
      score('equal', 80),
      score('best', 80),
      score('low', 70),
      score('other base', 10),
      score('best', 5, { benchmark: 'chair', higherIsBetter: false }),
      score('equal', 6, { benchmark: 'chair', higherIsBetter: false }),
      score('long gone', 99),
    ],
    keeps: { equal: [KEEP_REASON_BEST], best: [KEEP_REASON_BEST], low: [], 'other base': [KEEP_REASON_BEST] },
  },
  {
    name: 'one that was measured twice takes one place',
    rules: { keepBestPerBenchmark: 2 },
    checkpoints: [fact('a', 1), fact('b', 2), fact('c', 3)],
    scores: [score('a', 90), score('a', 85), score('b', 80), score('c', 70)],
    keeps: { a: [KEEP_REASON_BEST], b: [KEEP_REASON_BEST], c: [] },
  },
  {
    name: 'all that a kept one was made from stays, to the beginning, also over one that is deleted already',
    checkpoints: [
      fact('leaf', 1, { parentId: 'mid', pinnedAt: now }),
      fact('mid', 2, { parentId: 'root' }),
      fact('root', 3),
      fact('twig', 1, { parentId: 'gone' }),
      fact('aside', 4, { parentId: 'root' }),
    ],
    keeps: { leaf: [KEEP_REASON_PINNED], mid: [KEEP_REASON_LINEAGE], root: [KEEP_REASON_LINEAGE], twig: [], aside: [] },
  },
];

for (const { name, rules, checkpoints, scores = [], keeps } of cases) {
  test(name, () => {
    const fates = decide({ ...none, ...rules }, { now, checkpoints, scores });
    expect(Object.fromEntries(fates.map((fate) => [fate.fact.id, fate.keeps.map(({ reason }) => reason)]))).toStrictEqual(keeps);
  });
}

test('files that several share are freed once, and not at all when one of them stays', () => {
  const shared = { adapterSha256: 'same' };
  const kept = { adapterSha256: 'kept' };
  const checkpoints = [fact('a', 1, shared), fact('b', 2, shared), fact('c', 3, kept), fact('d', 4, { ...kept, pinnedAt: now })];
  const fates = decide(none, { now, checkpoints, scores: [] });
  expect(fates.map(({ fact: { id }, frees }) => [id, frees])).toStrictEqual([
    ['a', 10n],
    ['b', 0n],
    ['c', 0n],
    ['d', 0n],
  ]);
});

test('the reasons say what they rest on', () => {
  const checkpoints = [fact('a', 1.5, { schedule: nightly, parentId: 'b' }), fact('b', 9)];
  const rules = { keepDays: 7, keepLastPerSchedule: 3, keepBestPerBenchmark: 1, keepNone: false };
  const [a, b] = decide(rules, { now, checkpoints, scores: [score('a', 81.26)] });
  expect(a?.keeps.map(({ message }) => message)).toStrictEqual([
    '1.5 days old; kept for 7 days.',
    'Of run 1 of the last 3 of schedule nightly.',
    'Number 1 on pope: f1 81.3.',
  ]);
  expect(b?.keeps.map(({ message }) => message)).toStrictEqual(['stage1 of run a, which stays, was made from it.']);
});
