import type { EvaluationScore } from '../gen/stic/trainer/v1/trainer.js';

const subjects: Readonly<Record<string, string>> = {
  base: 'The base model',
  stage1: 'Stage 1',
  stage2: 'Stage 2',
  champion: 'The champion',
};
const modes: Readonly<Record<string, string>> = { plain: 'plain', dar: 'describe-and-respond' };

/** The difference's interval lies on one side of zero. */
const isClear = (score: EvaluationScore): boolean => score.low > 0 || score.high < 0;

const isBetter = (score: EvaluationScore): boolean => (score.higherIsBetter ? score.difference > 0 : score.difference < 0);

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;

const interval = (score: EvaluationScore): string =>
  `${signed(score.difference)} points, 95 % interval ${signed(score.low)} to ${signed(score.high)}, n = ${score.n}`;

/**
 * What the comparison says, in words: per trained subject a verdict over the benchmarks' headline metrics in plain mode, then every
 * headline cell whose interval excludes zero, then what stays within chance. Empty without scores.
 */
export function findingsOf(scores: readonly EvaluationScore[]): string[] {
  const headline = scores.filter((score) => score.primary);
  const trained = ['stage1', 'stage2'].filter((subject) => headline.some((score) => score.subject === subject));
  return [...trained.map((subject) => verdict(subject, headline)), ...clearCells(headline), ...unclear(headline), ...pointless(headline)];
}

/**
 * Which way of answering gains most on base plain, on the mean of the benchmarks' headline metrics, in a clause. It is a better model
 * only when that is beyond chance somewhere and the model is a trained one. Empty without scores.
 */
export function bestOf(scores: readonly EvaluationScore[]): string {
  const headline = scores.filter((score) => score.primary && score.versus === '' && score.subject !== 'champion' && !isBaseline(score));
  const ways = [...new Set(headline.map(way))].map((name) => headline.filter((score) => way(score) === name));
  const [best] = ways.sort((a, b) => meanGain(b) - meanGain(a));
  const [first] = best ?? [];
  if (!best || !first) return '';
  const better = best.filter((score) => isClear(score) && isBetter(score));
  const worse = best.filter((score) => isClear(score) && !isBetter(score)).map((score) => score.benchmark);
  const verdict = better.length === 0 ? 'nothing clearly better; ' : first.subject === 'base' ? 'no better model; ' : '';
  const harm = worse.length > 0 ? `, worse on ${list(worse)}` : '';
  return `${verdict}best is ${way(first)}, ${gainOf(best, better.length)} against base${harm}`;
}

function gainOf(cells: readonly EvaluationScore[], better: number): string {
  const [only, ...others] = cells;
  if (!only || others.length > 0) return `${signed(meanGain(cells))} on the mean of ${cells.length} benchmarks, clear on ${better},`;
  const [low, high] = only.higherIsBetter ? [only.low, only.high] : [-only.high, -only.low];
  return `${signed(gain(only))} [${signed(low)}, ${signed(high)}] on ${only.benchmark}`;
}

const gain = (score: EvaluationScore): number => (score.higherIsBetter ? score.difference : -score.difference);

const meanGain = (scores: readonly EvaluationScore[]): number => scores.reduce((sum, score) => sum + gain(score), 0) / scores.length;

/** stage 2, or stage 2 with DaR. */
const way = ({ subject, mode }: EvaluationScore): string =>
  `${lowerFirst(subjects[subject] ?? subject)}${mode === 'dar' ? ' with DaR' : ''}`;

function verdict(subject: string, headline: readonly EvaluationScore[]): string {
  const name = subjects[subject] ?? subject;
  const cells = headline.filter((score) => score.subject === subject && score.mode === 'plain');
  const better = cells.filter((score) => isClear(score) && isBetter(score)).map((score) => score.benchmark);
  const worse = cells.filter((score) => isClear(score) && !isBetter(score)).map((score) => score.benchmark);
  if (better.length > 0 && worse.length > 0) return `${name} helped on ${list(better)} and did harm on ${list(worse)}.`;
  if (better.length > 0)
    return `${name} helped: better than the base model on ${list(better)}, ${better.length} of ${cells.length} benchmarks, and worse on none.`;
  if (worse.length > 0) return `${name} did not help: it is worse than the base model on ${list(worse)} and better on none.`;
  return `${name} did not help: on none of the ${cells.length} benchmarks is the difference from the base model beyond chance.`;
}

function clearCells(headline: readonly EvaluationScore[]): string[] {
  return headline
    .filter((score) => isClear(score))
    .map((score) => {
      const direction = isBetter(score) ? 'better' : 'worse';
      return `${score.benchmark}: ${cell(score)} is ${direction} than the base model (${score.metric} ${score.value.toFixed(1)}, ${interval(score)}).`;
    });
}

function unclear(headline: readonly EvaluationScore[]): string[] {
  const within = headline.filter((score) => !isBaseline(score) && !isClear(score));
  if (within.length === 0) return [];
  const byCell = new Map<string, string[]>();
  for (const score of within) byCell.set(cell(score), [...(byCell.get(cell(score)) ?? []), score.benchmark]);
  const parts = [...byCell].map(([name, benchmarks]) => `${lowerFirst(name)} on ${list(benchmarks)}`);
  return [`No clear change, the interval contains zero: ${parts.join('; ')}.`];
}

/** A model that is no better than always giving the most frequent answer has not shown that it looks at the image. */
function pointless(headline: readonly EvaluationScore[]): string[] {
  const below = headline.filter((score) => score.majority >= 0 && score.higherIsBetter && score.value <= score.majority);
  const benchmarks = [...new Set(below.map((score) => score.benchmark))];
  return benchmarks.map((benchmark) => {
    const cells = below.filter((score) => score.benchmark === benchmark);
    const parts = cells.map((score) => `${lowerFirst(cell(score))} (${score.value.toFixed(1)})`);
    return `${benchmark}: always giving the most frequent answer scores ${cells[0]?.majority.toFixed(1) ?? ''}; not above that: ${parts.join('; ')}.`;
  });
}

/** Differences are taken against this cell. */
const isBaseline = (score: EvaluationScore): boolean => score.subject === 'base' && score.mode === 'plain';

const cell = (score: EvaluationScore): string => `${subjects[score.subject] ?? score.subject}, ${modes[score.mode] ?? score.mode}`;

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
