import type { EvaluationScore } from '../gen/stic/trainer/v1/trainer.js';
import { bold, dim, green, red } from './terminal.js';

const SUBJECTS = ['base', 'stage1', 'stage2'] as const;
const MODES = ['plain', 'dar'] as const;
const NAMES: Readonly<Record<string, string>> = { base: 'base', stage1: 'stage 1', stage2: 'stage 2', plain: 'plain', dar: 'DaR' };
const CELL = 28;

/** One benchmark's metric with all its cells. */
type Group = {
  benchmark: string;
  metric: string;
  primary: boolean;
  higherIsBetter: boolean;
  n: number;
  majority: number;
  scores: EvaluationScore[];
};

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;

/** The scores by benchmark and metric, in the order they came. */
export function groups(scores: readonly EvaluationScore[]): Group[] {
  const found = new Map<string, Group>();
  for (const score of scores) {
    const { benchmark, metric, primary, higherIsBetter, n, majority } = score;
    const key = `${benchmark}\0${metric}`;
    const group = found.get(key) ?? { benchmark, metric, primary, higherIsBetter, n, majority, scores: [] };
    group.scores.push(score);
    found.set(key, group);
  }
  return [...found.values()];
}

/** The table: a block per benchmark, a line per metric and mode, a column per subject. Differences are against base, plain. */
export function tableOf(scores: readonly EvaluationScore[]): string[] {
  const lines: string[] = [];
  const subjects = SUBJECTS.filter((subject) => scores.some((score) => score.subject === subject));
  let benchmark = '';
  for (const group of groups(scores)) {
    if (group.benchmark !== benchmark) {
      benchmark = group.benchmark;
      lines.push('', `  ${bold(benchmark)} ${dim(`n = ${group.n}`)}`);
      lines.push(
        `  ${' '.repeat(22)}${subjects.map((subject) => (NAMES[subject] ?? subject).padEnd(subject === 'base' ? 8 : CELL)).join('')}`,
      );
    }
    const arrow = group.higherIsBetter ? '↑' : '↓';
    const always = group.majority >= 0 ? dim(`  always the most frequent answer: ${group.majority.toFixed(1)}`) : '';
    for (const [place, mode] of MODES.filter((one) => group.scores.some((score) => score.mode === one)).entries()) {
      const name = place === 0 ? `${group.metric} ${arrow}` : '';
      const cells = subjects.map((subject) => cell(group, subject, mode));
      lines.push(`  ${name.padEnd(15)}${(NAMES[mode] ?? mode).padEnd(7)}${cells.join('')}${place === 0 ? always : ''}`);
    }
  }
  return lines;
}

function cell({ scores, higherIsBetter }: Group, subject: string, mode: string): string {
  const score = scores.find((one) => one.subject === subject && one.mode === mode);
  const columns = subject === 'base' ? 8 : CELL;
  if (score === undefined) return ''.padEnd(columns);
  const value = score.value.toFixed(1).padStart(5);
  if (subject === 'base') return value.padEnd(columns);
  const text = `${value} ${`${signed(score.difference)} [${signed(score.low)}, ${signed(score.high)}]`.padEnd(columns - 7)} `;
  const clear = score.low > 0 || score.high < 0;
  if (!clear) return text;
  return score.difference > 0 === higherIsBetter ? green(text) : red(text);
}

type CellJson = { value: number; difference: number; low: number; high: number };

/** The comparison for a file: per benchmark and metric the value of every subject and mode, with difference, interval and n. */
export function comparisonJson(scores: readonly EvaluationScore[]): object[] {
  return groups(scores).map((group) => ({
    benchmark: group.benchmark,
    metric: group.metric,
    primary: group.primary,
    higher_is_better: group.higherIsBetter,
    n: group.n,
    majority: group.majority >= 0 ? group.majority : null,
    ...Object.fromEntries(
      SUBJECTS.filter((subject) => group.scores.some((score) => score.subject === subject)).map((subject) => [
        subject,
        cellsOf(group, subject),
      ]),
    ),
  }));
}

/** A subject's values by mode. */
const cellsOf = ({ scores }: Group, subject: string): Record<string, CellJson> =>
  Object.fromEntries(
    scores
      .filter((score) => score.subject === subject)
      .map(({ mode, value, difference, low, high }) => [mode, { value, difference, low, high }]),
  );
