import { Module } from '@nestjs/common';
import { Deliverer } from './deliverer.js';
import { Secrets } from './secrets.js';
import { webhooksApi } from './webhooks.api.js';
import { WebhooksService } from './webhooks.service.js';

@Module({ providers: [WebhooksService, webhooksApi, Deliverer, Secrets] })
export class WebhooksModule {}
