import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { DataSource } from 'typeorm';
import { DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { leaseIsOver } from '../platform/database/lease.js';
import { messageOf } from '../platform/errors.js';
import { Faults } from '../platform/faults.js';
import { Bell } from '../platform/timing.js';
import { Changes } from '../platform/database/watch.js';
import { publicLookup } from './address.js';
import { webhooksTopic } from './outbox.js';
import { deadlineMs, type Outcome, post } from './post.js';
import { retryDelayMs } from './retry.js';
import { Secrets } from './secrets.js';
import { type Try, WebhookDeliveryEntity, WebhookEndpointEntity } from './webhook.entity.js';

const pollMs = 1_000;
/** Longer than a request may take, so that a claim outlives its request. */
const leaseMs = deadlineMs + 20_000;
const atOnce = 8;
const keptTries = 20;

type Claim = { readonly id: string; readonly owner: string };

/**
 * Sends what the outbox holds. A delivery is claimed by one server at a time, and an endpoint gets one after the other, so a slow
 * receiver holds up nobody else.
 */
@Injectable()
export class Deliverer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Webhooks');
  private readonly closing = new AbortController();
  private readonly faults = new Faults(this.logger, this.closing.signal);
  private readonly bell = new Bell();
  private readonly sending = new Set<Promise<void>>();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly secrets: Secrets,
    @Inject(CONFIG) private readonly config: Pick<Config, 'webhooksAllowPrivate'>,
  ) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.closing.abort();
    await this.loop;
    await Promise.allSettled(this.sending);
  }

  private async run(): Promise<void> {
    const unsubscribe = this.changes.subscribe(webhooksTopic, this.bell.ring);
    while (!this.closing.signal.aborted) {
      await this.faults.during(this.tick());
      await this.bell.wait(pollMs, this.closing.signal);
    }
    unsubscribe();
  }

  private async tick(): Promise<void> {
    const room = atOnce - this.sending.size;
    if (room <= 0) return;
    for (const claim of await this.claim(room)) {
      const sent = this.deliver(claim)
        .catch((error: unknown) => this.faults.complain(messageOf(error)))
        .finally(() => {
          this.sending.delete(sent);
          // The endpoint may have more.
          this.bell.ring();
        });
      this.sending.add(sent);
    }
  }

  /** The next due delivery of every endpoint that is not being sent to, at most `limit`. */
  private async claim(limit: number): Promise<Claim[]> {
    const owner = randomUUID();
    const [rows] = await this.db.query<[{ id: string }[], number]>(
      `UPDATE webhook_delivery SET lease_owner = $1, lease_expires_at = now() + $2 * interval '1 millisecond'
       WHERE id IN (
         SELECT id FROM webhook_delivery
         WHERE id IN (
           SELECT DISTINCT ON (due.endpoint_id) due.id FROM webhook_delivery AS due
           JOIN webhook_endpoint ON webhook_endpoint.id = due.endpoint_id
           WHERE due.state = 'DELIVERY_STATE_PENDING' AND due.next_try_at <= now()
             AND webhook_endpoint.key_id = $3 AND (webhook_endpoint.enabled OR due.event_type = 'webhook.test')
             AND NOT EXISTS (
               SELECT 1 FROM webhook_delivery AS other WHERE other.endpoint_id = due.endpoint_id AND NOT ${leaseIsOver('other.lease_expires_at', leaseMs)})
           ORDER BY due.endpoint_id, due.next_try_at)
           -- Again, of the row as it is once locked: another server may have tried and put it off since this statement began.
           AND state = 'DELIVERY_STATE_PENDING' AND next_try_at <= now() AND ${leaseIsOver('lease_expires_at', leaseMs)}
         LIMIT $4
         FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [owner, leaseMs, this.secrets.keyId, limit],
    );
    return rows.map(({ id }) => ({ id, owner }));
  }

  private async deliver(claim: Claim): Promise<void> {
    const delivery = await this.db.manager.findOneByOrFail(WebhookDeliveryEntity, { id: claim.id });
    const endpoint = await this.db.manager.findOneByOrFail(WebhookEndpointEntity, { id: delivery.endpointId });
    const outcome = await post({
      url: endpoint.url,
      headers: this.headers(delivery, endpoint),
      body: delivery.payload,
      lookup: this.config.webhooksAllowPrivate ? undefined : publicLookup(),
    });
    await this.record(claim, delivery, outcome);
  }

  private headers(delivery: WebhookDeliveryEntity, endpoint: WebhookEndpointEntity): Record<string, string> {
    const now = new Date();
    const sealed = [endpoint.secret];
    if (endpoint.previousSecret !== null && endpoint.previousUntil !== null && endpoint.previousUntil > now)
      sealed.push(endpoint.previousSecret);
    const signatures = sealed.map((one) => new Webhook(this.secrets.open(one, endpoint.id)).sign(delivery.id, now, delivery.payload));
    return {
      'content-type': 'application/json',
      'user-agent': 'stic-webhooks',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signatures.join(' '),
    };
  }

  /** Writes down the try, unless the claim has run out meanwhile. */
  private async record({ id, owner }: Claim, delivery: WebhookDeliveryEntity, outcome: Outcome): Promise<void> {
    const { refused, ...made } = outcome;
    const taken = made.status >= 200 && made.status < 300;
    const failures = taken ? 0 : delivery.failures + 1;
    const delay = taken || refused ? undefined : retryDelayMs(failures, Math.random());
    const state = taken
      ? DeliveryState.DELIVERY_STATE_DELIVERED
      : delay === undefined
        ? DeliveryState.DELIVERY_STATE_FAILED
        : DeliveryState.DELIVERY_STATE_PENDING;
    const tries: Try[] = [...delivery.tries, explained(made)].slice(-keptTries);
    await this.db.transaction(async (manager) => {
      await manager.query(
        `UPDATE webhook_delivery SET state = $3, tries = $4, failures = $5, next_try_at = now() + $6 * interval '1 millisecond',
           lease_owner = NULL, lease_expires_at = NULL
         WHERE id = $1 AND lease_owner = $2`,
        [id, owner, state, JSON.stringify(tries), failures, delay ?? null],
      );
      if (made.status !== 410) return;
      await manager.update(WebhookEndpointEntity, delivery.endpointId, {
        enabled: false,
        disabledReason: 'The receiver answered 410 Gone.',
      });
    });
  }
}

function explained(made: Try): Try {
  return made.status >= 300 && made.status < 400
    ? { ...made, error: 'Redirects are not followed: register the address they lead to.' }
    : made;
}
