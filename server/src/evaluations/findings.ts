import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';

const subjects: Readonly<Record<string, string>> = {
  base: 'The base model',
  stage1: 'Stage 1',
  stage2: 'Stage 2',
  champion: 'The champion',
};

/** The difference's interval lies on one side of zero. */
const isClear = (score: EvaluationScore): boolean => score.low > 0 || score.high < 0;

const isBetter = (score: EvaluationScore): boolean => (score.higherIsBetter ? score.difference > 0 : score.difference < 0);

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;

/**
 * What the comparison says, in a few sentences that do not repeat its figures: per trained subject a verdict over the benchmarks'
 * headline metrics, plain and, where that differs, with describe-and-respond; then where an answer without looking does as well.
 * Empty without scores.
 */
export function findingsOf(scores: readonly EvaluationScore[]): string[] {
  const headline = scores.filter((score) => score.primary);
  const trained = ['stage1', 'stage2'].filter((subject) => headline.some((score) => score.subject === subject));
  return [...trained.map((subject) => verdict(subject, headline)), ...withDescription(trained, headline), ...pointless(headline)];
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

/** Benchmarks by how the cells differ from the base model, each list as the end of a sentence. */
function byChange(cells: readonly EvaluationScore[]): { better: string; worse: string; same: string } {
  const named = (wanted: (score: EvaluationScore) => boolean): string => list(cells.filter(wanted).map((score) => score.benchmark));
  return {
    better: named((score) => isClear(score) && isBetter(score)),
    worse: named((score) => isClear(score) && !isBetter(score)),
    same: named((score) => !isClear(score)),
  };
}

function verdict(subject: string, headline: readonly EvaluationScore[]): string {
  const name = subjects[subject] ?? subject;
  const { better, worse, same } = byChange(headline.filter((score) => score.subject === subject && score.mode === 'plain'));
  const unchanged = same === '' ? '' : `; no clear change on ${same}`;
  if (better !== '' && worse !== '') return `${name} helped on ${better} and did harm on ${worse}${unchanged}.`;
  if (better !== '') return `${name} helped: better than the base model on ${better}${unchanged}.`;
  if (worse !== '') return `${name} did not help: worse than the base model on ${worse}${unchanged}.`;
  return `${name} did not help: the difference from the base model is within chance on ${same}.`;
}

/** One sentence for the subjects whose answers with describe-and-respond differ clearly from the base model's plain ones. */
function withDescription(trained: readonly string[], headline: readonly EvaluationScore[]): string[] {
  const parts = ['base', ...trained].flatMap((subject) => {
    const { better, worse } = byChange(headline.filter((score) => score.subject === subject && score.mode === 'dar'));
    const changes = [better && `better on ${better}`, worse && `worse on ${worse}`].filter(Boolean);
    return changes.length === 0 ? [] : [`${lowerFirst(subjects[subject] ?? subject)} is ${changes.join(' and ')}`];
  });
  return parts.length === 0 ? [] : [`With describe-and-respond, against the base model's plain answers: ${parts.join('; ')}.`];
}

/** A model that is no better than always giving the most frequent answer has not shown that it looks at the image. */
function pointless(headline: readonly EvaluationScore[]): string[] {
  const below = headline.filter((score) => score.majority >= 0 && score.higherIsBetter && score.value <= score.majority);
  const benchmarks = [...new Set(below.map((score) => score.benchmark))];
  if (benchmarks.length === 0) return [];
  const parts = benchmarks.map((benchmark) => {
    const ways = [...new Set(below.filter((score) => score.benchmark === benchmark).map(way))];
    return `${list(ways)} on ${benchmark}`;
  });
  return [`No better than always giving the most frequent answer: ${parts.join('; ')}.`];
}

/** Differences are taken against this cell. */
const isBaseline = (score: EvaluationScore): boolean => score.subject === 'base' && score.mode === 'plain';

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const MOST_NAMES = 3;

function list(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES + 1 ? [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}
