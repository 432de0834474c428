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
import { checkId, cut, pageSize, timePosition } from '../platform/pages.js';
import { notifyChange } from '../platform/database/watch.js';
import { refuseLiteral } from './address.js';
import { eventTypes, payloadOf, webhooksTopic } from './outbox.js';
import { Secrets } from './secrets.js';
import { WebhookDeliveryEntity, WebhookEndpointEntity } from './webhook.entity.js';
import { shown } from '../platform/shown.js';

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
    const id = randomUUID();
    const secret = this.secrets.create();
    const row = this.db.manager.create(WebhookEndpointEntity, {
      id,
      ...this.checked(request),
      enabled: true,
      disabledReason: '',
      ...this.sealed(secret, id),
      previousSecret: null,
      previousUntil: null,
      createdAt: new Date(),
    });
    await this.db.transaction(async (manager) => {
      await manager.insert(WebhookEndpointEntity, row);
      await this.audit(manager, 'create', row);
    });
    return { endpoint: toEndpoint(row), secret };
  }

  async get({ endpointId }: GetEndpointRequest): Promise<Endpoint> {
    return toEndpoint(await this.row(this.db.manager, endpointId));
  }

  async list(request: ListEndpointsRequest): Promise<ListEndpointsResponse> {
    const limit = pageSize(request.pageSize);
    const position = timePosition.decode(request.pageToken);
    const query = this.db.manager.createQueryBuilder(WebhookEndpointEntity, 'endpoint');
    query.orderBy({ 'endpoint.createdAt': 'DESC', 'endpoint.id': 'DESC' });
    if (position) query.andWhere('(endpoint.createdAt, endpoint.id) < (:at, :id)', position);
    const { page, last } = cut(await query.limit(limit + 1).getMany(), limit);
    return {
      endpoints: page.map(toEndpoint),
      nextPageToken: last ? timePosition.encode({ at: last.createdAt.toISOString(), id: last.id }) : '',
    };
  }

  async update(request: UpdateEndpointRequest): Promise<Endpoint> {
    const change = { ...this.checked(request), enabled: request.enabled, disabledReason: '' };
    await this.db.transaction(async (manager) => {
      const row = await this.row(manager, request.endpointId);
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

  async rotate({ endpointId }: RotateSecretRequest): Promise<EndpointWithSecret> {
    const secret = this.secrets.create();
    await this.db.transaction(async (manager) => {
      const row = await this.row(manager, endpointId);
      // What was sealed with another key cannot be used any more, whatever happens.
      const kept = row.keyId === this.secrets.keyId ? row.secret : null;
      await manager.update(WebhookEndpointEntity, row.id, {
        ...this.sealed(secret, row.id),
        previousSecret: kept,
        previousUntil: kept === null ? null : new Date(Date.now() + secretOverlapMs),
      });
      await this.audit(manager, 'rotate_secret', row);
    });
    return { endpoint: await this.get({ endpointId }), secret };
  }

  async test({ endpointId }: TestEndpointRequest): Promise<Delivery> {
    const id = randomUUID();
    await this.db.transaction(async (manager) => {
      const row = await this.row(manager, endpointId);
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
    });
    return toDelivery(await this.delivery(this.db.manager, id));
  }

  async deliveries(request: ListDeliveriesRequest): Promise<ListDeliveriesResponse> {
    const limit = pageSize(request.pageSize);
    const position = timePosition.decode(request.pageToken);
    const query = this.db.manager.createQueryBuilder(WebhookDeliveryEntity, 'delivery');
    query.orderBy({ 'delivery.createdAt': 'DESC', 'delivery.id': 'DESC' });
    if (request.endpointId !== '') {
      checkId('endpoint_id', request.endpointId);
      query.andWhere('delivery.endpointId = :endpointId', { endpointId: request.endpointId });
    }
    if (request.state !== DeliveryState.DELIVERY_STATE_UNSPECIFIED) query.andWhere('delivery.state = :state', { state: request.state });
    if (position) query.andWhere('(delivery.createdAt, delivery.id) < (:at, :id)', position);
    const { page, last } = cut(await query.limit(limit + 1).getMany(), limit);
    return {
      deliveries: page.map(toDelivery),
      nextPageToken: last ? timePosition.encode({ at: last.createdAt.toISOString(), id: last.id }) : '',
    };
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
    if (description.length > longestText) throw invalid('description', `A description has at most ${longestText} characters.`);
    const known: readonly string[] = eventTypes;
    const stranger = events.find((event) => !known.includes(event));
    if (stranger !== undefined) throw invalid('events', `"${shown(stranger)}" is not an event type; it must be one of ${known.join(', ')}.`);
    if (events.length === 0) throw invalid('events', 'An endpoint needs at least one event type.', `They are ${known.join(', ')}.`);
    return { url: url.trim(), description: description.trim(), events: known.filter((event) => events.includes(event)) };
  }

  /** Only what can be seen from the text: names are looked up, and judged, when a connection is made. */
  private checkAddress(text: string): void {
    const address = URL.canParse(text) && text.length <= longestText ? new URL(text) : undefined;
    if (!address || !['http:', 'https:'].includes(address.protocol)) {
      throw invalid('url', `"${text.slice(0, 200)}" is not an http or https address.`);
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

  private async row(manager: EntityManager, endpointId: string): Promise<WebhookEndpointEntity> {
    checkId('endpoint_id', endpointId);
    const row = await manager.findOneBy(WebhookEndpointEntity, { id: endpointId });
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
  return { id, url, description, events, enabled, disabledReason, createdAt, secretFingerprint };
}

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
