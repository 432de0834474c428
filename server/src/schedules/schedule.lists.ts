import { TickOrigin, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { column, enumColumn, type List } from '../platform/filter/index.js';

export const scheduleList: List = {
  name: 'schedules',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'schedule.id'),
    name: column('text', 'schedule.name', { searched: true }),
    cron: column('text', `(schedule.spec ->> 'cron')`, { nullable: true }),
    zone: column('text', `(schedule.spec ->> 'zone')`, { nullable: true }),
    preset: column('text', `(schedule.spec -> 'recipe' ->> 'preset')`, { nullable: true }),
    paused: column('boolean', '(schedule.paused_at IS NOT NULL)'),
    pause_reason: column('text', 'schedule.pause_reason'),
    failures: column('integer', 'schedule.failures'),
    created_at: column('time', 'schedule.created_at'),
    updated_at: column('time', 'schedule.updated_at'),
    paused_at: column('time', 'schedule.paused_at', { nullable: true }),
    next_at: column('time', 'schedule.next_at', { nullable: true }),
  },
};

/** Of one schedule. */
export const tickList: List = {
  name: 'ticks',
  order: 'nominal_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'tick.id'),
    state: enumColumn('tick.state', TickState),
    origin: enumColumn('tick.origin', TickOrigin),
    reason: enumColumn('tick.reason', TickReason),
    message: column('text', 'tick.message', { searched: true }),
    run_id: column('uuid', 'tick.run_id', { nullable: true }),
    nominal_at: column('time', 'tick.nominal_at'),
    due_at: column('time', 'tick.due_at'),
    taken_at: column('time', 'tick.taken_at'),
    fired_at: column('time', 'tick.fired_at', { nullable: true }),
    ended_at: column('time', 'tick.ended_at', { nullable: true }),
  },
};
