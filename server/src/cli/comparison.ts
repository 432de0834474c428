import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import { bold, dim, green, red } from './terminal.js';
import { clip, columnsOf, padEnd, shown } from './text.js';

const SUBJECTS = ['base', 'stage1', 'stage2'] as const;
const MODES = ['plain', 'dar'] as const;
type Mode = (typeof MODES)[number];
const NAMES: Readonly<Record<string, string>> = { base: 'base', stage1: 'stage 1', stage2: 'stage 2', plain: 'plain', dar: 'DaR' };
/** Columns of the side-by-side layout. */
const METRIC = 15;
const MODE = 7;
const BASE_CELL = 8;
const CELL = 30;

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

/** The table as lines no wider than the columns: side by side where that fits, else a line per model, else with broken lines. */
export function tableOf(scores: readonly EvaluationScore[], columns: number): string[] {
  for (const layout of [sideBySide, oneBelowTheOther]) {
    const lines = blocks(scores, columns, layout);
    if (lines.every((line) => columnsOf(line) <= columns)) return lines;
  }
  return blocks(scores, columns, broken).map((line) => clip(line, columns));
}

/** The lines of one metric, after its benchmark's heading. */
type Layout = (group: Group, subjects: readonly string[]) => { heading: string; lines: string[] };

function blocks(scores: readonly EvaluationScore[], columns: number, layout: Layout): string[] {
  const lines: string[] = [];
  const subjects = SUBJECTS.filter((subject) => scores.some((score) => score.subject === subject));
  let benchmark = '';
  for (const group of groups(scores)) {
    const { heading, lines: own } = layout(group, subjects);
    if (group.benchmark !== benchmark) {
      benchmark = group.benchmark;
      const size = `n = ${group.n}`;
      lines.push('', `  ${bold(shown(benchmark, columns - size.length - 4))} ${dim(size)}`);
      if (heading !== '') lines.push(`  ${heading}`);
    }
    lines.push(...own.map((line) => `  ${line}`));
    if (group.majority >= 0)
      lines.push(dim(`  ${columns < 60 ? 'most frequent answer' : 'always the most frequent answer'}: ${group.majority.toFixed(1)}`));
  }
  return lines;
}

const modesOf = (group: Group): Mode[] => MODES.filter((mode) => group.scores.some((score) => score.mode === mode));
const titleOf = ({ metric, higherIsBetter }: Group): string => `${shown(metric, METRIC - 2)} ${higherIsBetter ? '↑' : '↓'}`;

/** A line per mode, a column per model. */
function sideBySide(group: Group, subjects: readonly string[]): { heading: string; lines: string[] } {
  const columnsFor = (subject: string): number => (subject === 'base' ? BASE_CELL : CELL);
  const cell = (subject: string, mode: Mode): string => {
    const score = group.scores.find((one) => one.subject === subject && one.mode === mode);
    const text = score === undefined ? '' : subject === 'base' ? valueOf(score) : `${valueOf(score)} ${changeOf(score)}`;
    return padEnd(score === undefined || subject === 'base' ? text : judged(score, text), columnsFor(subject));
  };
  const heading = subjects.map((subject) => (NAMES[subject] ?? subject).padEnd(columnsFor(subject))).join('');
  return {
    heading: `${' '.repeat(METRIC + MODE)}${heading}`.trimEnd(),
    lines: modesOf(group).map((mode, place) => {
      const title = padEnd(place === 0 ? titleOf(group) : '', METRIC);
      return `${title}${(NAMES[mode] ?? mode).padEnd(MODE)}${subjects.map((subject) => cell(subject, mode)).join('')}`.trimEnd();
    }),
  };
}

/** A line per model and mode. */
function oneBelowTheOther(group: Group): { heading: string; lines: string[] } {
  const rows = rowsOf(group).map(({ name, value, change }) => `${name} ${value}  ${change}`.trimEnd());
  return { heading: '', lines: rows.map((row, place) => `${padEnd(place === 0 ? titleOf(group) : '', METRIC)}${row}`) };
}

/** The metric, and the change of each value, on lines of their own. */
function broken(group: Group): { heading: string; lines: string[] } {
  const rows = rowsOf(group).flatMap(({ name, value, change }) => [`  ${name} ${value}`, ...(change === '' ? [] : [`    ${change}`])]);
  return { heading: '', lines: [titleOf(group), ...rows] };
}

function rowsOf(group: Group): { name: string; value: string; change: string }[] {
  const cells = SUBJECTS.flatMap((subject) => group.scores.filter((score) => score.subject === subject));
  return cells.map((score) => {
    const name = `${(NAMES[score.subject] ?? score.subject).padEnd(8)} ${(NAMES[score.mode] ?? score.mode).padEnd(5)}`;
    const isReference = score.subject === 'base' && score.mode === 'plain';
    return { name, value: valueOf(score), change: isReference ? '' : judged(score, changeOf(score)) };
  });
}

const valueOf = (score: EvaluationScore): string => score.value.toFixed(1).padStart(5);
const changeOf = ({ difference, low, high }: EvaluationScore): string => `${signed(difference)} [${signed(low)}, ${signed(high)}]`;

/** Coloured when the change is beyond chance. */
function judged({ low, high, difference, higherIsBetter }: EvaluationScore, text: string): string {
  if (low <= 0 && high >= 0) return text;
  return difference > 0 === higherIsBetter ? green(text) : red(text);
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
