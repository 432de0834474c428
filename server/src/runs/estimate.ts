import { StageState } from '../gen/stic/runs/v1/runs.js';
import type { Stage } from '../gen/stic/runs/v1/runs.js';
import { nodeOf } from '../pipeline/graph.js';

/**
 * Seconds until the run ends, or -1 when nothing can be said. What stages have taken (or will, by the running one's own rate) for
 * their typical shares of a run gives the time of the shares that are still to come.
 */
export function secondsLeft(stages: readonly Stage[], now: Date): number {
  let known = 0;
  let shareOfKnown = 0;
  let ahead = 0;
  let running = 0;
  for (const stage of stages) {
    const { share } = nodeOf(stage.kind);
    if (stage.state === StageState.STAGE_STATE_SUCCEEDED) {
      known += took(stage, stage.endedAt ?? now);
      shareOfKnown += share;
    } else if (stage.state === StageState.STAGE_STATE_RUNNING && (stage.progress?.etaSeconds ?? -1) >= 0) {
      running = stage.progress?.etaSeconds ?? 0;
      known += took(stage, now) + running;
      shareOfKnown += share;
    } else {
      ahead += share;
    }
  }
  if (ahead === 0) return shareOfKnown === 0 ? -1 : running;
  return shareOfKnown === 0 ? -1 : running + (known / shareOfKnown) * ahead;
}

function took(stage: Stage, until: Date): number {
  return stage.startedAt ? Math.max(0, until.getTime() - stage.startedAt.getTime()) / 1000 : 0;
}
