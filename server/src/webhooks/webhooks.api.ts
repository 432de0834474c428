import { WebhookServiceDefinition } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { serves } from '../platform/api/serves.js';
import { WebhooksService } from './webhooks.service.js';

export const webhooksApi = serves(WebhookServiceDefinition, [WebhooksService], (webhooks) => ({
  createEndpoint: (request) => webhooks.create(request),
  getEndpoint: (request) => webhooks.get(request),
  listEndpoints: (request) => webhooks.list(request),
  updateEndpoint: (request) => webhooks.update(request),
  deleteEndpoint: (request) => webhooks.delete(request),
  rotateSecret: (request) => webhooks.rotate(request),
  testEndpoint: (request) => webhooks.test(request),
  listDeliveries: (request) => webhooks.deliveries(request),
  redeliver: (request) => webhooks.redeliver(request),
}));
