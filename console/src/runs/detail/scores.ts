import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';

const subjectOrder = ['base', 'champion', 'stage1', 'stage2'];
const modeOrder = ['plain', 'dar'];

/** A subject in a mode: a column of the table, a row group of the picture. */
export interface Arm {
  subject: string;
  mode: string;
}

/** A metric of a benchmark with its scores by arm. */
export interface ScoreRow {
  benchmark: string;
  metric: string;
  primary: boolean;
  n: number;
  majority: number;
  cells: Map<string, EvaluationScore>;
}

export const armKey = ({ subject, mode }: Arm): string => `${subject}/${mode}`;

export const isReference = ({ subject, mode }: Arm): boolean => subject === 'base' && mode === 'plain';

/** The arms that have scores: base, stage 1, stage 2, each plain then DaR. */
export function arms(scores: EvaluationScore[]): Arm[] {
  const present = new Set(scores.map(armKey));
  return subjectOrder.flatMap((subject) => modeOrder.map((mode) => ({ subject, mode }))).filter((arm) => present.has(armKey(arm)));
}

/** One row per benchmark and metric, headline metrics first within their benchmark. */
export function scoreRows(scores: EvaluationScore[]): ScoreRow[] {
  const rows = new Map<string, ScoreRow>();
  for (const score of scores) {
    const key = `${score.benchmark}/${score.metric}`;
    const row = rows.get(key) ?? {
      benchmark: score.benchmark,
      metric: score.metric,
      primary: score.primary,
      n: score.n,
      majority: score.majority,
      cells: new Map<string, EvaluationScore>(),
    };
    row.cells.set(armKey(score), score);
    rows.set(key, row);
  }
  return [...rows.values()].sort(
    (a, b) => a.benchmark.localeCompare(b.benchmark) || Number(b.primary) - Number(a.primary) || a.metric.localeCompare(b.metric),
  );
}

/** better or worse only when the whole interval is on one side of zero. */
export function verdict(score: EvaluationScore): 'better' | 'worse' | 'unclear' {
  const sign = score.higherIsBetter ? 1 : -1;
  const [low, high] = [score.low * sign, score.high * sign].sort((a, b) => a - b) as [number, number];
  if (low > 0) return 'better';
  if (high < 0) return 'worse';
  return 'unclear';
}
