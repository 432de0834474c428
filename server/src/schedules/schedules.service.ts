import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { CreateRunRequest, Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';
import {
  type BackfillScheduleRequest,
  type BackfillScheduleResponse,
  type CreateScheduleRequest,
  type DeleteScheduleRequest,
  type DeleteScheduleResponse,
  type GetScheduleRequest,
  type ListSchedulesRequest,
  type ListSchedulesResponse,
  type ListTicksRequest,
  type ListTicksResponse,
  type PauseScheduleRequest,
  type PreviewScheduleRequest,
  type PreviewScheduleResponse,
  type ResumeScheduleRequest,
  type Schedule,
  type ScheduleSpec,
  type Tick,
  TickOrigin,
  TickReason,
  TickState,
  type TriggerScheduleRequest,
  type UpdateScheduleRequest,
} from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { wholeJson } from '../recipe/fields.js';
import { Clock } from '../platform/clock.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { checkedText } from '../platform/text.js';
import { doneBefore, once, violatedConstraint } from '../platform/database/idempotency.js';
import { checkEtag, etagOf } from '../platform/etag.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { Changes } from '../platform/database/watch.js';
import { RunsService } from '../runs/index.js';
import { dueAt, FireTimes } from './fire-times.js';
import { runOutcomes } from './outcome.js';
import { cursorAfter, type PlannedTick } from './ticks/plan.js';
import { ScheduleEntity, TickEntity } from './schedule.entity.js';
import { specOf, toSchedule, toTick } from './schedule.messages.js';
import { scheduleList, tickList } from './schedule.lists.js';
import { checkedSpec } from './spec.js';
import { insertTicks } from './ticks/store.js';
import { schedulesTopic } from '../model/topics.js';
import { changedFields, writeDown } from './record-audit.js';

/** The times of a preview when the request does not say. */
const previewed = 20;
const mostPreviewed = 200;
/** Times one back-fill may ask for. */
const mostBackfilled = 200;

/** stic.schedules.v1.ScheduleService. What is decided here is written down; the Scheduler acts on it. */
@Injectable()
export class SchedulesService {
  constructor(
    private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly clock: Clock,
    private readonly runs: RunsService,
  ) {}

  async create(request: CreateScheduleRequest): Promise<Schedule> {
    const keyed = { method: 'CreateSchedule', request };
    const earlier = await doneBefore(this.db.manager, keyed);
    if (earlier !== undefined) return this.get({ scheduleId: earlier });
    const now = await this.clock.now();
    const id = randomUUID();
    const settings = await this.settings(id, request.spec, now);
    const scheduleId = await once(this.db, keyed, async (manager) => {
      await manager.insert(ScheduleEntity, { ...settings, id, createdAt: now });
      await writeDown(manager, 'create', { id, name: settings.name }, { recipe_digest: settings.recipeDigest });
      await this.changes.notify(manager, schedulesTopic);
      return id;
    }).catch((error: unknown) => {
      throw nameTaken(error, settings.name);
    });
    return this.get({ scheduleId });
  }

  async get({ scheduleId }: GetScheduleRequest): Promise<Schedule> {
    checkId('schedule_id', scheduleId);
    const row = await this.db.manager.findOneBy(ScheduleEntity, { id: scheduleId });
    if (!row) throw noSchedule(scheduleId);
    const [schedule] = await this.read([row]);
    if (!schedule) throw noSchedule(scheduleId);
    return schedule;
  }

  async list(request: ListSchedulesRequest): Promise<ListSchedulesResponse> {
    const { page, nextPageToken } = await paginate(this.db.manager.createQueryBuilder(ScheduleEntity, 'schedule'), scheduleList, request);
    return { schedules: await this.read(page), nextPageToken };
  }

  async update(request: UpdateScheduleRequest): Promise<Schedule> {
    const { scheduleId } = request;
    const settings = await this.get(request).then(async () => this.settings(scheduleId, request.spec, await this.clock.now()));
    await this.change(scheduleId, async (manager, schedule) => {
      checkEtag(request.etag, etagOf(schedule.spec), `The schedule "${schedule.name}"`);
      await manager.update(ScheduleEntity, scheduleId, settings);
      const changed = changedFields(schedule.spec, settings.spec).join(' ');
      const named = { id: scheduleId, name: settings.name };
      await writeDown(manager, 'update', named, { changed, recipe_digest: settings.recipeDigest });
    }).catch((error: unknown) => {
      throw nameTaken(error, settings.name);
    });
    return this.get(request);
  }

  async pause({ scheduleId, reason: given }: PauseScheduleRequest): Promise<Schedule> {
    const reason = checkedText('reason', given);
    const pausedAt = await this.clock.now();
    await this.change(scheduleId, async (manager, schedule) => {
      if (schedule.pausedAt !== null) return;
      await manager.update(ScheduleEntity, scheduleId, { pausedAt, pauseReason: reason });
      await writeDown(manager, 'pause', schedule, { reason });
    });
    return this.get({ scheduleId });
  }

  async resume({ scheduleId }: ResumeScheduleRequest): Promise<Schedule> {
    const now = await this.clock.now();
    await this.change(scheduleId, async (manager, schedule) => {
      if (schedule.pausedAt === null) return;
      const spec = specOf(schedule);
      const cursor = cursorAfter(scheduleId, spec, new FireTimes(spec.cron, spec.zone), now);
      await manager.update(ScheduleEntity, scheduleId, { pausedAt: null, pauseReason: '', failures: 0, ...cursor, decidedAt: now });
      await writeDown(manager, 'resume', schedule);
    });
    return this.get({ scheduleId });
  }

  async delete({ scheduleId }: DeleteScheduleRequest): Promise<DeleteScheduleResponse> {
    checkId('schedule_id', scheduleId);
    await this.db.transaction(async (manager) => {
      // Ticks first, as the scheduler locks them.
      await manager.query('SELECT 1 FROM tick WHERE schedule_id = $1 FOR UPDATE', [scheduleId]);
      const schedule = await manager.findOne(ScheduleEntity, { where: { id: scheduleId }, lock: { mode: 'pessimistic_write' } });
      if (!schedule) throw noSchedule(scheduleId);
      await manager.delete(ScheduleEntity, { id: scheduleId });
      await writeDown(manager, 'delete', schedule);
    });
    return {};
  }

  async trigger(request: TriggerScheduleRequest): Promise<Tick> {
    const { scheduleId, requestId } = request;
    const now = await this.clock.now();
    const id = await this.once('TriggerSchedule', request, async (manager, schedule) => {
      const time = { nominalAt: now, dueAt: now };
      await insertTicks(manager, scheduleId, [{ ...time, ...fires(TickOrigin.TICK_ORIGIN_TRIGGER) }], now, requestId || null);
      await writeDown(manager, 'trigger', schedule, { nominal_at: now.toISOString() });
      // Should this very moment have fired already, that fire is the answer.
      const where = { scheduleId, nominalAt: now };
      return (await manager.findOneOrFail(TickEntity, { where, order: { position: 'DESC' } })).id;
    });
    const tick = await this.db.manager.findOneBy(TickEntity, { id });
    if (!tick) throw notFound(`There is no tick ${id} any more.`, 'request_id');
    return toTick(tick, await runOutcomes(this.db.manager, [tick]));
  }

  async backfill(request: BackfillScheduleRequest): Promise<BackfillScheduleResponse> {
    const { scheduleId, requestId, start, end } = request;
    const now = await this.clock.now();
    if (!isMoment(start)) throw invalid('start', 'A back-fill needs the first moment of its interval.');
    if (!isMoment(end)) throw invalid('end', 'A back-fill needs the end of its interval.');
    if (end <= start) throw invalid('end', 'The interval ends before it starts.');
    if (end > now)
      throw invalid(
        'end',
        'The interval ends in the future.',
        'A back-fill is for times that have passed; the coming ones fire by themselves.',
      );
    let already = 0;
    const made = await this.once('BackfillSchedule', request, async (manager, schedule) => {
      const spec = specOf(schedule);
      const planned = backfilled(spec, start, end);
      const fired = await manager.find(TickEntity, { where: { scheduleId, nominalAt: In(planned.map((tick) => tick.nominalAt)) } });
      const done = new Set(fired.filter((tick) => tick.state !== TickState.TICK_STATE_SKIPPED).map((tick) => tick.nominalAt.getTime()));
      const missing = planned.filter((tick) => !done.has(tick.nominalAt.getTime()));
      already = planned.length - missing.length;
      // Every back-fill has an id, so that it can be told what it made.
      const under = requestId || randomUUID();
      await insertTicks(manager, scheduleId, missing, now, under);
      const details = { start: start.toISOString(), end: end.toISOString(), times: String(missing.length), already: String(already) };
      await writeDown(manager, 'backfill', schedule, details);
      return under;
    });
    const ticks = await this.db.manager.find(TickEntity, { where: { scheduleId, requestId: made }, order: { nominalAt: 'ASC' } });
    return { ticks: await this.toTicks(ticks), already };
  }

  async preview(request: PreviewScheduleRequest): Promise<PreviewScheduleResponse> {
    const stored = request.scheduleId === '' ? undefined : await this.get(request);
    const { cron, zone, jitterSeconds } = stored?.spec ?? { cron: request.cron, zone: request.zone, jitterSeconds: 0 };
    const times = new FireTimes(cron, zone);
    const after = request.after ?? (await this.clock.now());
    if (!isMoment(after)) throw invalid('after', 'after is not a moment.');
    if (request.count < 0 || request.count > mostPreviewed) throw invalid('count', `count must be from 0 to ${mostPreviewed}.`);
    const count = request.count === 0 ? previewed : request.count;
    const nominals = take(times.after(after), count + 1);
    const fires = nominals.slice(0, count).map((nominalAt, index) => ({
      nominalAt,
      dueAt: dueAt(request.scheduleId, nominalAt, nominals[index + 1], jitterSeconds),
      local: times.local(nominalAt),
      note: times.noteOn(nominalAt),
    }));
    return { fires };
  }

  async listTicks(request: ListTicksRequest): Promise<ListTicksResponse> {
    await this.get(request);
    const query = this.db.manager.createQueryBuilder(TickEntity, 'tick').where('tick.scheduleId = :scheduleId', request);
    if (request.state !== TickState.TICK_STATE_UNSPECIFIED) query.andWhere('tick.state = :state', { state: request.state });
    const { page, nextPageToken } = await paginate(query, tickList, request);
    return { ticks: await this.toTicks(page), nextPageToken };
  }

  /** The columns a spec decides about. Recipe and inputs are judged and frozen as those of a run are. */
  private async settings(scheduleId: string, given: ScheduleSpec | undefined, now: Date): Promise<Settings> {
    const spec = checkedSpec(given, now);
    const inputs = spec.inputs.map(({ role, datasetId }) => ({ role, datasetId }));
    const { recipe, recipeDigest } = await this.runs.create(
      CreateRunRequest.fromPartial({
        name: spec.name,
        recipe: spec.recipe,
        priority: spec.priority,
        requires: spec.requires,
        inputs,
        validateOnly: true,
      }),
    );
    const cursor = cursorAfter(scheduleId, spec, new FireTimes(spec.cron, spec.zone), now);
    // The keys of labels are not names of fields, so they are kept as they are.
    const requires = spec.requires ? Requirements.toJSON(spec.requires) : null;
    const whole = { ...(wholeJson({ ...spec, recipe }) as object), requires };
    return { name: spec.name, spec: whole, recipeDigest, ...cursor, decidedAt: now, updatedAt: now };
  }

  /** Changes a schedule while nobody else does, and tells the scheduler. */
  private async change<T>(scheduleId: string, work: (manager: EntityManager, schedule: ScheduleEntity) => Promise<T>): Promise<T> {
    checkId('schedule_id', scheduleId);
    return this.db.transaction((manager) => this.changeIn(manager, scheduleId, work));
  }

  private async changeIn<T>(
    manager: EntityManager,
    scheduleId: string,
    work: (manager: EntityManager, schedule: ScheduleEntity) => Promise<T>,
  ): Promise<T> {
    const schedule = await manager.findOne(ScheduleEntity, { where: { id: scheduleId }, lock: { mode: 'pessimistic_write' } });
    if (!schedule) throw noSchedule(scheduleId);
    const result = await work(manager, schedule);
    await this.changes.notify(manager, schedulesTopic);
    return result;
  }

  /** Makes ticks once per request_id and names them. */
  private async once(
    method: string,
    request: { scheduleId: string; requestId: string },
    work: (manager: EntityManager, schedule: ScheduleEntity) => Promise<string>,
  ): Promise<string> {
    checkId('schedule_id', request.scheduleId);
    return once(this.db, { method, request }, (manager) => this.changeIn(manager, request.scheduleId, work));
  }

  private async read(rows: readonly ScheduleEntity[]): Promise<Schedule[]> {
    const ids = rows.map((row) => row.id);
    const newest = (where: string): Promise<TickEntity[]> =>
      this.db.manager
        .createQueryBuilder(TickEntity, 'tick')
        .distinctOn(['tick.scheduleId'])
        .where('tick.scheduleId IN (:...ids)', { ids })
        .andWhere(where)
        .orderBy({ 'tick.scheduleId': 'ASC', 'tick.nominalAt': 'DESC', 'tick.position': 'DESC' })
        .getMany();
    if (rows.length === 0) return [];
    const latest = await newest('true');
    const successes = await newest(`tick.state = 'TICK_STATE_SUCCEEDED'`);
    const outcomes = await runOutcomes(this.db.manager, [...latest, ...successes]);
    const of = (ticks: TickEntity[], id: string): TickEntity | undefined => ticks.find((tick) => tick.scheduleId === id);
    return rows.map((row) => toSchedule(row, { latestTick: of(latest, row.id), lastSuccess: of(successes, row.id) }, outcomes));
  }

  private async toTicks(rows: readonly TickEntity[]): Promise<Tick[]> {
    const outcomes = await runOutcomes(this.db.manager, rows);
    return rows.map((row) => toTick(row, outcomes));
  }
}

type Settings = Pick<ScheduleEntity, 'name' | 'spec' | 'recipeDigest' | 'nextAt' | 'dueAt' | 'decidedAt' | 'updatedAt'>;

function fires(origin: TickOrigin): Omit<PlannedTick, 'nominalAt' | 'dueAt'> {
  return { origin, state: TickState.TICK_STATE_WAITING, reason: TickReason.TICK_REASON_UNSPECIFIED, message: '' };
}

/** The times in [start, end), each to fire without jitter. */
function backfilled({ cron, zone }: ScheduleSpec, start: Date, end: Date): PlannedTick[] {
  const ticks: PlannedTick[] = [];
  for (const nominalAt of new FireTimes(cron, zone).after(new Date(start.getTime() - 1))) {
    if (nominalAt >= end) break;
    if (ticks.length === mostBackfilled) {
      throw invalid('end', `The interval holds more than ${mostBackfilled} times of this schedule.`, 'Back-fill shorter intervals.');
    }
    ticks.push({ nominalAt, dueAt: nominalAt, ...fires(TickOrigin.TICK_ORIGIN_BACKFILL) });
  }
  if (ticks.length === 0) throw invalid('start', 'The interval holds no time of this schedule.');
  return ticks;
}

function take<T>(from: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const item of from) {
    if (taken.length === count) break;
    taken.push(item);
  }
  return taken;
}

const isMoment = (date: Date | undefined): date is Date => date !== undefined && !Number.isNaN(date.getTime());

const noSchedule = (id: string): DomainError => notFound(`There is no schedule ${id}.`, 'schedule_id');

function nameTaken(error: unknown, name: string): unknown {
  if (violatedConstraint(error) !== 'schedule_name_key') return error;
  return new DomainError('ALREADY_EXISTS', `There is a schedule named "${name}" already.`, { field: 'name', hint: 'Choose another name.' });
}
