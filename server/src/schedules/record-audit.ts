import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from 'typeorm';
import { audit } from '../audit/index.js';
import { announce } from '../webhooks/index.js';
import { ScheduleEntity } from './schedule.entity.js';

type Named = Pick<ScheduleEntity, 'id' | 'name'>;

/** The audit entry of a change of a schedule, in the transaction that makes it. */
export function writeDown(manager: EntityManager, verb: string, { id, name }: Named, details: Record<string, string> = {}): Promise<void> {
  return audit(manager, { verb, subject: { type: 'schedule', id, name }, details });
}

/** A schedule stops itself: written down and told to who wants to know. */
export async function pausesItself(manager: EntityManager, { id, name }: Named, reason: string, now: Date): Promise<void> {
  await manager.update(ScheduleEntity, id, { pausedAt: now, pauseReason: reason });
  await writeDown(manager, 'pause', { id, name }, { reason });
  await announce(manager, 'schedule.paused', { schedule_id: id, schedule_name: name, reason });
}

/** Names of the settings in which two specs differ. */
export function changedFields(before: object, after: object): string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...now.keys()])].filter((field) => !isDeepStrictEqual(old.get(field), now.get(field))).sort();
}
