import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { audit } from '../audit/index.js';
import {
  type CreateEndpointRequest,
  type DeleteEndpointRequest,
  type DeleteEndpointResponse,
  type Delivery,
  DeliveryState,
  type Endpoint,
  type EndpointWithSecret,
  type GetEndpointRequest,
  type ListDeliveriesRequest,
  type ListDeliveriesResponse,
  type ListEndpointsRequest,
  type ListEndpointsResponse,
  type RedeliverRequest,
  type RotateSecretRequest,
  type TestEndpointRequest,
  type UpdateEndpointRequest,
} from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { DomainError, invalid, messageOf, notFound } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { checkedText } from '../platform/text.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { once } from '../platform/database/idempotency.js';
import { checkEtag, etagOf } from '../platform/etag.js';
import { notifyChange } from '../platform/database/watch.js';
import { refuseLiteral } from './address.js';
import { eventTypes, payloadOf, webhooksTopic } from './outbox.js';
import { Secrets } from './secrets.js';
import { WebhookDeliveryEntity, WebhookEndpointEntity } from './webhook.entity.js';
import { deliveryList, endpointList } from './webhook.lists.js';

const longestText = 2_000;
const secretOverlapMs = 24 * 60 * 60 * 1_000;

/** stic.webhooks.v1.WebhookService. Secrets leave it in the answers of `create` and `rotate` and nowhere else. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly db: DataSource,
    private readonly secrets: Secrets,
    @Inject(CONFIG) private readonly config: Pick<Config, 'webhooksAllowPrivate'>,
  ) {}

  async create(request: CreateEndpointRequest): Promise<EndpointWithSecret> {
    const settings = this.checked(request);
    const made = await once(this.db, { method: 'CreateEndpoint', request }, async (manager) => {
      const id = randomUUID();
      const row = manager.create(WebhookEndpointEntity, {
        id,
        ...settings,
        enabled: true,
        disabledReason: '',
        ...this.sealed(this.secrets.create(), id),
        previousSecret: null,
        previousUntil: null,
        createdAt: new Date(),
      });
      await manager.insert(WebhookEndpointEntity, row);
      await this.audit(manager, 'create', row);
      return secretName(row);
    });
    return this.withSecret(made);
  }

  async get({ endpointId }: GetEndpointRequest): Promise<Endpoint> {
    return toEndpoint(await this.row(this.db.manager, endpointId));
  }

  async list(request: ListEndpointsRequest): Promise<ListEndpointsResponse> {
    const query = this.db.manager.createQueryBuilder(WebhookEndpointEntity, 'endpoint');
    const { page, nextPageToken } = await paginate(query, endpointList, request);
    return { endpoints: page.map(toEndpoint), nextPageToken };
  }

  async update(request: UpdateEndpointRequest): Promise<Endpoint> {
    const change = { ...this.checked(request), enabled: request.enabled, disabledReason: '' };
    await this.db.transaction(async (manager) => {
      const row = await this.row(manager, request.endpointId, { lock: true });
      checkEtag(request.etag, toEndpoint(row).etag, 'The endpoint');
      await manager.update(WebhookEndpointEntity, row.id, change);
      await this.audit(manager, 'update', Object.assign(row, change));
      await notifyChange(manager, webhooksTopic);
    });
    return this.get(request);
  }

  async delete({ endpointId }: DeleteEndpointRequest): Promise<DeleteEndpointResponse> {
    await this.db.transaction(async (manager) => {
      const row = await this.row(manager, endpointId);
      await manager.delete(WebhookEndpointEntity, row.id);
      await this.audit(manager, 'delete', row);
    });
    return {};
  }

  async rotate(request: RotateSecretRequest): Promise<EndpointWithSecret> {
    const made = await once(this.db, { method: 'RotateSecret', request }, async (manager) => {
      const row = await this.row(manager, request.endpointId, { lock: true });
      // What was sealed with another key cannot be used any more, whatever happens.
      const kept = row.keyId === this.secrets.keyId ? row.secret : null;
      const rotated = {
        ...this.sealed(this.secrets.create(), row.id),
        previousSecret: kept,
        previousUntil: kept === null ? null : new Date(Date.now() + secretOverlapMs),
      };
      await manager.update(WebhookEndpointEntity, row.id, rotated);
      await this.audit(manager, 'rotate_secret', row);
      return secretName({ id: row.id, secretFingerprint: rotated.secretFingerprint });
    });
    return this.withSecret(made);
  }

  async test(request: TestEndpointRequest): Promise<Delivery> {
    const made = await once(this.db, { method: 'TestEndpoint', request }, async (manager) => {
      const id = randomUUID();
      const row = await this.row(manager, request.endpointId);
      this.checkKey(row);
      await manager.insert(WebhookDeliveryEntity, {
        id,
        endpointId: row.id,
        eventType: 'webhook.test',
        state: DeliveryState.DELIVERY_STATE_PENDING,
        payload: payloadOf('webhook.test', { endpoint_id: row.id, text: 'This is a test.' }),
        nextTryAt: new Date(),
        createdAt: new Date(),
      });
      await this.audit(manager, 'test', row);
      await notifyChange(manager, webhooksTopic);
      return id;
    });
    return toDelivery(await this.delivery(this.db.manager, made));
  }

  async deliveries(request: ListDeliveriesRequest): Promise<ListDeliveriesResponse> {
    const query = this.db.manager.createQueryBuilder(WebhookDeliveryEntity, 'delivery');
    if (request.endpointId !== '') {
      checkId('endpoint_id', request.endpointId);
      query.andWhere('delivery.endpointId = :endpointId', { endpointId: request.endpointId });
    }
    if (request.state !== DeliveryState.DELIVERY_STATE_UNSPECIFIED) query.andWhere('delivery.state = :state', { state: request.state });
    const { page, nextPageToken } = await paginate(query, deliveryList, request);
    return { deliveries: page.map(toDelivery), nextPageToken };
  }

  async redeliver({ deliveryId }: RedeliverRequest): Promise<Delivery> {
    await this.db.transaction(async (manager) => {
      const delivery = await this.delivery(manager, deliveryId);
      const endpoint = await this.row(manager, delivery.endpointId);
      this.checkKey(endpoint);
      if (!endpoint.enabled && delivery.eventType !== 'webhook.test') {
        throw new DomainError('FAILED_PRECONDITION', `The endpoint ${endpoint.url} is disabled.`, { hint: 'Enable it first.' });
      }
      const state = DeliveryState.DELIVERY_STATE_PENDING;
      await manager.update(WebhookDeliveryEntity, delivery.id, { state, failures: 0, nextTryAt: new Date() });
      await this.audit(manager, 'redeliver', endpoint, { delivery: delivery.id });
      await notifyChange(manager, webhooksTopic);
    });
    return toDelivery(await this.delivery(this.db.manager, deliveryId));
  }

  private checked({ url, description, events }: { url: string; description: string; events: string[] }): {
    url: string;
    description: string;
    events: string[];
  } {
    this.checkAddress(url.trim());
    const known: readonly string[] = eventTypes;
    const stranger = events.find((event) => !known.includes(event));
    if (stranger !== undefined)
      throw invalid('events', `"${shown(stranger)}" is not an event type; it must be one of ${known.join(', ')}.`);
    if (events.length === 0) throw invalid('events', 'An endpoint needs at least one event type.', `They are ${known.join(', ')}.`);
    return {
      url: url.trim(),
      description: checkedText('description', description),
      events: known.filter((event) => events.includes(event)),
    };
  }

  /** Only what can be seen from the text: names are looked up, and judged, when a connection is made. */
  private checkAddress(text: string): void {
    const address = URL.canParse(text) && text.length <= longestText ? new URL(text) : undefined;
    if (!address || !['http:', 'https:'].includes(address.protocol)) {
      throw invalid('url', `"${shown(text)}" is not an http or https address.`);
    }
    if (address.username !== '' || address.password !== '') {
      throw invalid('url', 'An address must not hold a password: it is shown.', 'Check the signature in place of a password.');
    }
    if (this.config.webhooksAllowPrivate) return;
    try {
      refuseLiteral(address);
    } catch (error) {
      throw invalid('url', messageOf(error));
    }
  }

  private sealed(secret: string, id: string): Pick<WebhookEndpointEntity, 'secret' | 'secretFingerprint' | 'keyId'> {
    return { secret: this.secrets.seal(secret, id), secretFingerprint: this.secrets.fingerprint(secret), keyId: this.secrets.keyId };
  }

  private checkKey(endpoint: WebhookEndpointEntity): void {
    if (endpoint.keyId === this.secrets.keyId) return;
    throw new DomainError('FAILED_PRECONDITION', 'The secret of this endpoint was sealed with a key this server does not have.', {
      hint: 'Give all servers the same STIC_SECRET_KEY, or rotate the secret here.',
    });
  }

  /** The endpoint and the secret that a request made, to be shown again to whoever repeats the request. */
  private async withSecret(made: string): Promise<EndpointWithSecret> {
    const [endpointId = ''] = made.split(' ');
    const row = await this.row(this.db.manager, endpointId);
    this.checkKey(row);
    if (secretName(row) !== made) {
      throw new DomainError('FAILED_PRECONDITION', 'The secret that this request made has been replaced since.', {
        field: 'request_id',
        hint: 'Rotate the secret under a new request_id.',
      });
    }
    return { endpoint: toEndpoint(row), secret: this.secrets.open(row.secret, row.id) };
  }

  private async row(manager: EntityManager, endpointId: string, { lock = false } = {}): Promise<WebhookEndpointEntity> {
    checkId('endpoint_id', endpointId);
    const where = { id: endpointId };
    const row = await manager.findOne(WebhookEndpointEntity, lock ? { where, lock: { mode: 'pessimistic_write' } } : { where });
    if (!row) throw notFound(`There is no webhook endpoint ${endpointId}.`, 'endpoint_id');
    return row;
  }

  private async delivery(manager: EntityManager, deliveryId: string): Promise<WebhookDeliveryEntity> {
    checkId('delivery_id', deliveryId);
    const row = await manager.findOneBy(WebhookDeliveryEntity, { id: deliveryId });
    if (!row) throw notFound(`There is no delivery ${deliveryId}.`, 'delivery_id');
    return row;
  }

  private audit(manager: EntityManager, verb: string, row: WebhookEndpointEntity, details: Record<string, string> = {}): Promise<void> {
    const subject = { type: 'webhook' as const, id: row.id, name: row.url };
    return audit(manager, { verb, subject, details: { events: row.events.join(' '), enabled: String(row.enabled), ...details } });
  }
}

function toEndpoint(row: WebhookEndpointEntity): Endpoint {
  const { id, url, description, events, enabled, disabledReason, createdAt, secretFingerprint } = row;
  const etag = etagOf([url, description, events, enabled]);
  return { id, url, description, events, enabled, disabledReason, createdAt, secretFingerprint, etag };
}

/** Tells which secret of an endpoint is meant, without giving it away. */
const secretName = ({ id, secretFingerprint }: Pick<WebhookEndpointEntity, 'id' | 'secretFingerprint'>): string =>
  `${id} ${secretFingerprint}`;

function toDelivery(row: WebhookDeliveryEntity): Delivery {
  const { id, endpointId, eventType, state, payload, createdAt } = row;
  return {
    id,
    endpointId,
    eventType,
    state,
    payload,
    createdAt,
    nextTryAt: row.nextTryAt ?? undefined,
    tries: row.tries.map((one) => ({ ...one, at: new Date(one.at) })),
  };
}
