import { Module } from '@nestjs/common';
import { Deliverer } from './deliverer.js';
import { Secrets } from './secrets.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksGrpc } from './webhooks.grpc.js';
import { WebhooksService } from './webhooks.service.js';

@Module({ providers: [WebhooksService, WebhooksGrpc, Deliverer, Secrets], controllers: [WebhooksController] })
export class WebhooksModule {}
