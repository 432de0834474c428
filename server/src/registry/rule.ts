import type { BenchmarkVerdict } from '@stic/api/gen/stic/registry/v1/registry.js';

/** What a recipe asks of a candidate; points of 0..100. */
export type Rule = { readonly maxDrop: number; readonly minMeanGain: number };

/** Candidate against champion on one benchmark: its headline metric, answering plainly. */
export type Cell = {
  readonly benchmark: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly n: number;
  readonly candidate: number;
  /** Candidate less champion, with the 95 % interval of the paired bootstrap. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
};

export type Decision = {
  readonly promote: boolean;
  readonly benchmarks: BenchmarkVerdict[];
  readonly meanGain: number;
  /** In words and figures, the verdict first. */
  readonly reasons: string[];
};

const points = (value: number): string => value.toFixed(1);
const signed = (value: number): string => `${value >= 0 ? '+' : ''}${points(value)}`;

/**
 * Promote when on no benchmark the candidate is worse by more than `maxDrop` with an interval that excludes zero, and its mean gain
 * is at least `minMeanGain`; else keep. Keeps, too, when one of the benchmarks `asked` for could not be compared. Pure.
 */
export function decide(rule: Rule, cells: readonly Cell[], asked: readonly string[], champion: string): Decision {
  const benchmarks = cells.map((cell) => judge(rule, cell));
  const meanGain = benchmarks.length === 0 ? 0 : benchmarks.reduce((sum, one) => sum + one.gain, 0) / benchmarks.length;
  const against = objections(rule, benchmarks, meanGain, asked, champion);
  const verdict = against.length > 0 ? against : [inFavour(rule, benchmarks, meanGain, champion)];
  return { promote: against.length === 0, benchmarks, meanGain, reasons: [...verdict, ...benchmarks.map(figures)] };
}

/** Turns the figures so that a positive gain is better whichever way the metric points. */
function judge(rule: Rule, cell: Cell): BenchmarkVerdict {
  const { benchmark, metric, higherIsBetter, n, candidate, difference } = cell;
  const [gain, low, high] = higherIsBetter ? [difference, cell.low, cell.high] : [-difference, -cell.high, -cell.low];
  const tooBad = gain < -rule.maxDrop && high < 0;
  return { benchmark, metric, higherIsBetter, n, candidate, champion: candidate - difference, gain, low, high, tooBad };
}

function objections(
  rule: Rule,
  benchmarks: readonly BenchmarkVerdict[],
  meanGain: number,
  asked: readonly string[],
  champion: string,
): string[] {
  const missing = asked.filter((name) => !benchmarks.some((one) => one.benchmark === name));
  if (missing.length > 0) return [`Kept: ${missing.join(', ')} could not be compared, for no item was answered by both.`];
  if (benchmarks.length === 0) return ['Kept: nothing was measured.'];
  const reasons = benchmarks
    .filter((one) => one.tooBad)
    .map(
      (one) =>
        `Kept: on ${one.benchmark} the candidate is worse than ${champion} by ${points(-one.gain)} points, beyond chance; ` +
        `at most ${points(rule.maxDrop)} is allowed.`,
    );
  if (meanGain < rule.minMeanGain) {
    reasons.push(`Kept: the mean gain is ${signed(meanGain)} points; at least ${signed(rule.minMeanGain)} is asked for.`);
  }
  return reasons;
}

function inFavour(rule: Rule, benchmarks: readonly BenchmarkVerdict[], meanGain: number, champion: string): string {
  const where = benchmarks.length === 1 ? 'the one benchmark' : `none of the ${benchmarks.length} benchmarks`;
  const worse = benchmarks.length === 1 ? `on ${where} the candidate is not` : `on ${where} is the candidate`;
  return (
    `The rule holds: ${worse} worse than ${champion} by more than ${points(rule.maxDrop)} points beyond chance, ` +
    `and the mean gain of ${signed(meanGain)} points is at least the ${signed(rule.minMeanGain)} asked for.`
  );
}

function figures(one: BenchmarkVerdict): string {
  const better = one.higherIsBetter ? '' : ' (less is better)';
  return (
    `${one.benchmark}: ${one.metric}${better} ${points(one.champion)} to ${points(one.candidate)}, gain ${signed(one.gain)} points, ` +
    `95 % interval ${signed(one.low)} to ${signed(one.high)}, n = ${one.n}.`
  );
}
