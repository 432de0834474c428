import { WebhookDeliveryEntity, WebhookEndpointEntity } from './webhook.entity.js';

export { announce, type EventType, forgetDeliveries } from './outbox.js';
export { WebhooksModule } from './webhooks.module.js';

/** Every table of the webhooks. */
export const webhookEntities = [WebhookEndpointEntity, WebhookDeliveryEntity];
