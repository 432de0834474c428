import type { GateConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { type BenchmarkVerdict, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import type { GateEntity } from './gate.entity.js';

/** What a sentence about a gate rests on. */
export type GateView = Pick<GateEntity, 'state' | 'alias' | 'championId' | 'championRunName' | 'meanGain' | 'reasons' | 'comment'> & {
  readonly config: Pick<GateConfig, 'maxDrop'>;
  readonly benchmarks: readonly BenchmarkVerdict[];
  /** The candidate in words: stage2 of night-12. */
  readonly candidate: string;
};

/** Of the benchmarks that moved, so many are named. */
const mostNamed = 2;

/** What a gate has come to and by which figures, in one sentence; undefined as long as it has come to nothing. Pure. */
export function gateOutcome(gate: GateView): string | undefined {
  switch (gate.state) {
    case GateState.GATE_STATE_PROMOTED:
      return `Promoted ${gate.candidate} to ${gate.alias}: ${inFavour(gate)}.`;
    case GateState.GATE_STATE_PENDING:
      return `Waits for approval: ${gate.candidate} as ${gate.alias}; ${inFavour(gate)}.`;
    case GateState.GATE_STATE_KEPT:
      return `Kept ${opponent(gate)}: ${against(gate)}.`;
    case GateState.GATE_STATE_REJECTED: {
      const comment = gate.comment === '' ? '' : ` (${gate.comment})`;
      return `Kept ${opponent(gate)}: ${gate.candidate} was rejected by hand${comment}; ${inFavour(gate)}.`;
    }
    case GateState.GATE_STATE_WAITING:
    case GateState.GATE_STATE_ABANDONED:
    case GateState.GATE_STATE_UNSPECIFIED:
    case GateState.UNRECOGNIZED:
      return undefined;
  }
}

const opponent = ({ championId, alias, championRunName }: GateView): string =>
  championId === null ? 'the base model' : `the ${alias} of ${championRunName}`;

function inFavour(gate: GateView): string {
  const better = gate.benchmarks.filter(({ low }) => low > 0);
  const worse = gate.benchmarks.filter(({ high }) => high < 0);
  const gains = better.length > 0 ? named(better) : `nothing clearly better, mean gain ${signed(gate.meanGain)}`;
  const losses = worse.length > 0 ? `worse, but no more than allowed: ${named(worse)}` : 'nothing worse';
  return `${gains} against ${opponent(gate)}, ${losses}`;
}

/** The rule's own first reason, but for drops that are too large: those are figures. */
function against(gate: GateView): string {
  const tooBad = gate.benchmarks.filter((one) => one.tooBad);
  if (tooBad.length > 0) return `${named(tooBad)}, more than the ${gate.config.maxDrop.toFixed(1)} allowed`;
  return (gate.reasons[0] ?? 'the rule did not hold').replace(/^Kept: /, '').replace(/\.$/, '');
}

/** The largest first. */
function named(benchmarks: readonly BenchmarkVerdict[]): string {
  const sorted = [...benchmarks].sort((a, b) => Math.abs(b.gain) - Math.abs(a.gain));
  const figures = sorted.slice(0, mostNamed).map(({ benchmark, metric, gain, low, high }) => {
    return `${benchmark} ${metric.replaceAll('_', ' ')} ${signed(gain)} [${signed(low)}, ${signed(high)}]`;
  });
  const others = sorted.length - figures.length;
  return `${figures.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;
