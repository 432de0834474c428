import { type EntityManager, In } from 'typeorm';
import { TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { RunEntity } from '../model/index.js';
import { readOutcomes } from '../pipeline/index.js';
import type { TickEntity } from './schedule.entity.js';

/** In one sentence what came of a tick, given what came of its run; empty while it waits or runs. Pure. */
export function tickOutcome({ state, reason, message }: Pick<TickEntity, 'state' | 'reason' | 'message'>, ofRun: string): string {
  switch (state) {
    case TickState.TICK_STATE_SUCCEEDED:
      return ofRun;
    case TickState.TICK_STATE_SKIPPED:
      return `Skipped: ${lowerFirst(message.replace(/^(Skipped|Missed): /, ''))}`;
    case TickState.TICK_STATE_FAILED:
    case TickState.TICK_STATE_CANCELLED:
      if (reason === TickReason.TICK_REASON_REFUSED) return `Could not start: ${message}`;
      // Why the schedule has stopped a run says more than that it was stopped.
      return byItself.has(reason) ? message : ofRun || message;
    default:
      return '';
  }
}

const byItself = new Set([TickReason.TICK_REASON_DEADLINE, TickReason.TICK_REASON_OVERTAKEN]);

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What came of the ticks' runs, by the run's id. */
export async function runOutcomes(manager: EntityManager, ticks: readonly TickEntity[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(ticks.flatMap((tick) => tick.runId ?? []))];
  return ids.length === 0 ? new Map() : readOutcomes(manager, await manager.findBy(RunEntity, { id: In(ids) }));
}
