import type { EntityManager } from 'typeorm';
import { notifyChange } from '../platform/watch.js';

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
