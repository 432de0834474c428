import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { nodeOf } from '../model/graph.js';

/** A stage as far as its time goes. */
export type TimedStage = Pick<Stage, 'kind' | 'state' | 'progress' | 'startedAt' | 'endedAt'> & {
  readonly linkedFrom?: object | undefined;
};

/**
 * Seconds until the run ends, or -1 when nothing can be said. What stages have taken (or will, by the running one's own rate) for
 * their typical shares of a run gives the time of the shares that are still to come.
 */
export function secondsLeft(stages: readonly TimedStage[], now: Date): number {
  let known = 0;
  let shareOfKnown = 0;
  let shareAhead = 0;
  let left = 0;
  // A linked stage says nothing about how long the others take.
  for (const stage of stages.filter((one) => one.linkedFrom === undefined)) {
    const { share } = nodeOf(stage.kind);
    const own = stage.state === StageState.STAGE_STATE_RUNNING ? (stage.progress?.etaSeconds ?? -1) : -1;
    if (stage.state === StageState.STAGE_STATE_SUCCEEDED || own >= 0) {
      known += took(stage, now) + Math.max(0, own);
      shareOfKnown += share;
      left += Math.max(0, own);
    } else {
      shareAhead += share;
      left -= took(stage, now);
    }
  }
  if (shareOfKnown === 0) return -1;
  return Math.max(0, left + (known / shareOfKnown) * shareAhead);
}

/** Seconds a stage has been at work. */
function took(stage: TimedStage, now: Date): number {
  const until = stage.endedAt ?? now;
  return stage.startedAt ? Math.max(0, until.getTime() - stage.startedAt.getTime()) / 1000 : 0;
}
