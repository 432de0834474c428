import type { EntityManager } from 'typeorm';
import { notifyChange } from '../platform/database/watch.js';

/** What an endpoint can ask to be told. */
export const eventTypes = [
  'run.succeeded',
  'run.failed',
  'checkpoint.promoted',
  'checkpoint.kept',
  'approval.needed',
  'schedule.paused',
] as const;
export type EventType = (typeof eventTypes)[number];

/** Rung when there is something to deliver. */
export const webhooksTopic = 'webhooks';

/**
 * Stores what is to be told, in the transaction it happened in, once for every endpoint that wants to know: it is sent if and only
 * if that transaction commits. `data` is JSON and never holds a secret.
 */
export async function announce(manager: EntityManager, type: EventType, data: Readonly<Record<string, unknown>>): Promise<void> {
  await manager.query(
    `INSERT INTO webhook_delivery (id, endpoint_id, event_type, state, payload, next_try_at, created_at)
     SELECT gen_random_uuid(), id, $1, 'DELIVERY_STATE_PENDING', $2, now(), now() FROM webhook_endpoint
     WHERE enabled AND jsonb_exists(events, $1)`,
    [type, payloadOf(type, data)],
  );
  await notifyChange(manager, webhooksTopic);
}

/** The body of an event, in Standard Webhooks' form. */
export function payloadOf(type: string, data: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ type, timestamp: new Date().toISOString(), data });
}

/** Removes deliveries from before the moment that arrived or were given up, the oldest first, at most `limit`. */
export async function forgetDeliveries(manager: EntityManager, before: Date, limit: number): Promise<number> {
  const [, count] = await manager.query<[unknown, number]>(
    `DELETE FROM webhook_delivery WHERE id IN (
       SELECT id FROM webhook_delivery WHERE state IN ('DELIVERY_STATE_DELIVERED', 'DELIVERY_STATE_FAILED') AND created_at < $1
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [before, limit],
  );
  return count;
}
