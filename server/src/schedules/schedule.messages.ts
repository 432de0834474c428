import { ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import type { Schedule, Tick } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { etagOf } from '../platform/etag.js';
import { tickOutcome } from './outcome.js';
import type { ScheduleEntity, TickEntity } from './schedule.entity.js';

/** What came of runs, by their id. */
export type Outcomes = ReadonlyMap<string, string>;

export const specOf = (row: ScheduleEntity): ScheduleSpec => ScheduleSpec.fromJSON(row.spec);

export const toSchedule = (
  row: ScheduleEntity,
  { latestTick, lastSuccess }: { latestTick: TickEntity | undefined; lastSuccess: TickEntity | undefined },
  outcomes: Outcomes,
): Schedule => ({
  id: row.id,
  spec: specOf(row),
  recipeDigest: row.recipeDigest,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
  pausedAt: row.pausedAt ?? undefined,
  pauseReason: row.pauseReason,
  failures: row.failures,
  nextAt: row.nextAt ?? undefined,
  nextDueAt: row.dueAt ?? undefined,
  latestTick: latestTick && toTick(latestTick, outcomes),
  lastSuccess: lastSuccess && toTick(lastSuccess, outcomes),
  etag: etagOf(row.spec),
});

export const toTick = (row: TickEntity, outcomes: Outcomes): Tick => ({
  id: row.id,
  scheduleId: row.scheduleId,
  origin: row.origin,
  nominalAt: row.nominalAt,
  dueAt: row.dueAt,
  takenAt: row.takenAt,
  firedAt: row.firedAt ?? undefined,
  endedAt: row.endedAt ?? undefined,
  state: row.state,
  reason: row.reason,
  message: row.message,
  runId: row.runId ?? '',
  outcome: tickOutcome(row, outcomes.get(row.runId ?? '') ?? ''),
});
