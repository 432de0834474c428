import { DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { column, enumColumn, list, type List } from '../platform/filter/index.js';

export const endpointList: List = {
  name: 'endpoints',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'endpoint.id'),
    url: column('text', 'endpoint.url', { searched: true }),
    description: column('text', 'endpoint.description', { searched: true }),
    events: list('endpoint.events'),
    enabled: column('boolean', 'endpoint.enabled'),
    created_at: column('time', 'endpoint.created_at'),
  },
};

export const deliveryList: List = {
  name: 'deliveries',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'delivery.id'),
    endpoint_id: column('uuid', 'delivery.endpoint_id'),
    event_type: column('text', 'delivery.event_type'),
    state: enumColumn('delivery.state', DeliveryState),
    failures: column('integer', 'delivery.failures'),
    created_at: column('time', 'delivery.created_at'),
    next_try_at: column('time', 'delivery.next_try_at', { nullable: true }),
  },
};
