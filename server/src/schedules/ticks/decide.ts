import { OverlapPolicy, TickOrigin, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { pausedMessage } from './plan.js';

/** As many on-time fires of a schedule may wait for their turn. */
export const mostWaiting = 100;

/** What the database says about a waiting tick, as far as the next step depends on it. */
export type TickView = {
  readonly origin: TickOrigin;
  /** What its run will be made of, once that is settled. */
  readonly inputs: readonly object[] | null;
};

/** About one of its schedule that comes before it and has not ended. */
export type EarlierView = { readonly state: TickState; readonly nominalAt: Date; readonly runHasEnded: boolean };

/** And about the schedule. */
export type RulesView = { readonly overlap: OverlapPolicy; readonly pausedAt: Date | null; readonly pauseReason: string };

export type Step =
  /** It does not fire. */
  | { readonly do: 'skip'; readonly reason: TickReason; readonly message: string }
  /** Its turn has not come, but may come soon. */
  | { readonly do: 'wait'; readonly reason: TickReason; readonly message: string; readonly soon: boolean }
  /** The earlier ones are to make room. */
  | { readonly do: 'overtake' }
  /** Settle what the run is made of. */
  | { readonly do: 'prepare' }
  /** Make the run. */
  | { readonly do: 'fire' };

/**
 * The one next step for a waiting tick, given the earlier ones in their order. Pure: the same view gives the same step on any server.
 */
export function nextStep(tick: TickView, rules: RulesView, earlier: readonly EarlierView[]): Step {
  // The run may have been made before a crash: nothing but making it again finds that out.
  if (tick.inputs !== null) return { do: 'fire' };
  if (rules.pausedAt && isByClock(tick.origin))
    return { do: 'skip', reason: TickReason.TICK_REASON_PAUSED, message: pausedMessage(rules.pauseReason) };
  const [first] = earlier;
  if (!first) return { do: 'prepare' };
  const before = `the fire of ${first.nominalAt.toISOString()} ${first.state === TickState.TICK_STATE_RUNNING ? 'is still running' : 'still waits'}`;
  // One whose run is over is about to be settled: what comes of it may matter.
  const soon = earlier.some((one) => one.runHasEnded);
  const wait: Step = { do: 'wait', reason: TickReason.TICK_REASON_OVERLAP, message: `Waits for its turn: ${before}.`, soon };
  if (soon || mustRun(tick.origin)) return wait;
  switch (rules.overlap) {
    case OverlapPolicy.OVERLAP_POLICY_QUEUE: {
      const waiting = earlier.filter((one) => one.state === TickState.TICK_STATE_WAITING).length;
      if (waiting < mostWaiting) return wait;
      return { do: 'skip', reason: TickReason.TICK_REASON_QUEUE_FULL, message: `Skipped: ${waiting} fires wait already, and ${before}.` };
    }
    case OverlapPolicy.OVERLAP_POLICY_CANCEL_PREVIOUS:
      return { do: 'overtake' };
    case OverlapPolicy.OVERLAP_POLICY_SKIP:
    case OverlapPolicy.OVERLAP_POLICY_UNSPECIFIED:
    case OverlapPolicy.UNRECOGNIZED:
      return { do: 'skip', reason: TickReason.TICK_REASON_OVERLAP, message: `Skipped: ${before}.` };
  }
}

const isByClock = (origin: TickOrigin): boolean => origin === TickOrigin.TICK_ORIGIN_CLOCK || origin === TickOrigin.TICK_ORIGIN_CATCH_UP;

/** Times that were asked for one by one wait for one another, whatever the overlap rule says. */
const mustRun = (origin: TickOrigin): boolean => origin === TickOrigin.TICK_ORIGIN_CATCH_UP || origin === TickOrigin.TICK_ORIGIN_BACKFILL;
