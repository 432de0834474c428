import type { DataSource, EntityManager } from 'typeorm';
import type { DatasetAdditions, DatasetsService } from '../../datasets/index.js';
import { CreateRunRequest, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { type ScheduleSpec, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { DomainError, messageOf } from '../../platform/errors.js';
import type { RunActions, RunsService } from '../../runs/index.js';
import { type EarlierView, nextStep } from './decide.js';
import { localTime } from '../fire-times.js';
import { prepare } from './prepare.js';
import { ScheduleEntity, TickEntity } from '../schedule.entity.js';
import { specOf } from '../schedule.messages.js';
import { endTick } from './store.js';

type Tools = {
  readonly db: DataSource;
  readonly runs: RunsService;
  readonly actions: RunActions;
  readonly datasets: DatasetsService;
  readonly additions: DatasetAdditions;
};

/** Until the next look at a tick: one that waits for an import or for a run to stop, for its turn, or for a fault to pass. */
const soonMs = 1_000;
const turnMs = 5_000;
const unavailableMs = 10_000;

type EarlierTick = EarlierView & { readonly id: string };

/**
 * Takes one waiting tick one step further; false when none is to be looked at. The row lock is the claim. What the run is made of is
 * committed before the run is made, and the run's request_id comes from schedule and nominal time: killed in between, the next look
 * finds the same run.
 */
export async function fireNext(tools: Tools, now: Date): Promise<boolean> {
  let claimed: TickEntity | undefined;
  try {
    return await tools.db.transaction(async (manager) => {
      claimed = await claim(manager, now);
      if (claimed) await step(tools, manager, claimed, now);
      return claimed !== undefined;
    });
  } catch (error) {
    if (!claimed) throw error;
    // It must not keep those behind it from their turn.
    await tools.db.manager.update(
      TickEntity,
      { id: claimed.id, state: TickState.TICK_STATE_WAITING },
      {
        lookAt: later(now, unavailableMs),
        reason: TickReason.TICK_REASON_UNAVAILABLE,
        message: 'Unexpected error; will retry.',
      },
    );
    throw new Error(`tick ${claimed.id}: ${messageOf(error)}`, { cause: error });
  }
}

async function claim(manager: EntityManager, now: Date): Promise<TickEntity | undefined> {
  const tick = await manager
    .createQueryBuilder(TickEntity, 'tick')
    .where('tick.state = :state', { state: TickState.TICK_STATE_WAITING })
    // No look is put off by as much as a minute: one that is has been noted before the clock was set back.
    .andWhere(`(tick.lookAt <= :now OR tick.lookAt > CAST(:now AS timestamptz) + interval '1 minute')`, { now })
    .orderBy({ 'tick.lookAt': 'ASC', 'tick.position': 'ASC' })
    .limit(1)
    .setLock('pessimistic_write')
    .setOnLocked('skip_locked')
    .getOne();
  return tick ?? undefined;
}

async function step(tools: Tools, manager: EntityManager, tick: TickEntity, now: Date): Promise<void> {
  const schedule = await manager.findOneByOrFail(ScheduleEntity, { id: tick.scheduleId });
  const spec = specOf(schedule);
  const earlier = await earlierOf(manager, tick);
  const next = nextStep(tick, { overlap: spec.overlap, pausedAt: schedule.pausedAt, pauseReason: schedule.pauseReason }, earlier);
  switch (next.do) {
    case 'skip':
      return endTick(manager, tick, { ...next, state: TickState.TICK_STATE_SKIPPED }, now);
    case 'wait':
      return wait(manager, tick, next.reason, next.message, later(now, next.soon ? soonMs : turnMs));
    case 'overtake':
      return overtake(tools, manager, tick, now);
    case 'prepare':
      return explained(manager, tick, now, () => settleInputs(tools, manager, tick, spec, now));
    case 'fire':
      return explained(manager, tick, now, async () => {
        const request = runOf(tick, spec);
        const run = (await tools.runs.madeBy(request.requestId)) ?? (await tools.runs.create(request));
        const fired = { state: TickState.TICK_STATE_RUNNING, firedAt: now, runId: run.id, reason: TickReason.TICK_REASON_UNSPECIFIED };
        await manager.update(TickEntity, tick.id, { ...fired, message: changedModel(run, spec) });
      });
  }
}

/** In the order of their turns. */
function earlierOf(manager: EntityManager, tick: TickEntity): Promise<EarlierTick[]> {
  return manager.query<EarlierTick[]>(
    `SELECT tick.id, tick.state, tick.nominal_at AS "nominalAt", run.ended_at IS NOT NULL AS "runHasEnded"
       FROM tick LEFT JOIN run ON run.id = tick.run_id
      WHERE tick.schedule_id = $1 AND tick.position < $2 AND tick.state IN ('TICK_STATE_WAITING', 'TICK_STATE_RUNNING')
      ORDER BY tick.position`,
    [tick.scheduleId, tick.position],
  );
}

async function settleInputs(tools: Tools, manager: EntityManager, tick: TickEntity, spec: ScheduleSpec, now: Date): Promise<void> {
  const prepared = await prepare(tools, tick, spec);
  switch (prepared.is) {
    case 'importing':
      return wait(manager, tick, TickReason.TICK_REASON_IMPORTING, prepared.message, later(now, soonMs));
    case 'tooFew': {
      const reason = TickReason.TICK_REASON_TOO_FEW_IMAGES;
      return endTick(manager, tick, { state: TickState.TICK_STATE_SKIPPED, reason, message: prepared.message }, now);
    }
    case 'ready':
      await manager.update(TickEntity, tick.id, { inputs: prepared.inputs, seenVersionId: prepared.seenVersionId });
  }
}

/** The request of a tick's run, from what is stored: the same at every try. */
function runOf(tick: TickEntity, spec: ScheduleSpec): CreateRunRequest {
  return CreateRunRequest.fromPartial({
    requestId: `schedule/${tick.scheduleId}/${tick.nominalAt.toISOString()}`,
    name: `${spec.name.slice(0, 180)} ${localTime(tick.nominalAt, spec.zone).slice(0, 16).replace('T', ' ')}`,
    recipe: spec.recipe,
    priority: spec.priority,
    requires: spec.requires,
    inputs: tick.inputs ?? [],
  });
}

function changedModel({ recipe }: Run, spec: ScheduleSpec): string {
  if (recipe?.model?.digest === spec.recipe?.model?.digest) return '';
  return 'The files of the base model are not those the schedule was made with.';
}

/**
 * Makes room for a tick: earlier ones that wait are skipped, runs are cancelled. It goes on once all have ended. One that is about to
 * fire may have its run already and is left until that is known.
 */
async function overtake(tools: Tools, manager: EntityManager, tick: TickEntity, now: Date): Promise<void> {
  const message = `Cancelled for the fire of ${tick.nominalAt.toISOString()}.`;
  const reason = TickReason.TICK_REASON_OVERTAKEN;
  for (const { id } of await earlierOf(manager, tick)) {
    const earlier = await manager.findOneOrFail(TickEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (earlier.state === TickState.TICK_STATE_WAITING && earlier.inputs === null) {
      await endTick(manager, earlier, { state: TickState.TICK_STATE_SKIPPED, reason, message }, now);
    } else if (earlier.state === TickState.TICK_STATE_RUNNING && earlier.runId !== null) {
      await manager.update(TickEntity, id, { reason, message });
      await tools.actions.cancel({ runId: earlier.runId });
    }
  }
  await wait(manager, tick, TickReason.TICK_REASON_OVERLAP, 'Waits for the earlier run to stop.', later(now, soonMs));
}

/** What an error of datasets or trainer means for the tick: it waits for what passes and fails by what a person has to mend. */
async function explained(manager: EntityManager, tick: TickEntity, now: Date, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    if (passing.has(error.code)) return wait(manager, tick, TickReason.TICK_REASON_UNAVAILABLE, message, later(now, unavailableMs));
    await endTick(manager, tick, { state: TickState.TICK_STATE_FAILED, reason: TickReason.TICK_REASON_REFUSED, message }, now);
  }
}

const passing = new Set<DomainError['code']>(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'CANCELLED', 'INTERNAL']);

async function wait(manager: EntityManager, tick: TickEntity, reason: TickReason, message: string, lookAt: Date): Promise<void> {
  await manager.update(TickEntity, tick.id, { reason, message, lookAt });
}

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
