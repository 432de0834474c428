import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { WebhookServiceService } from '../gen/stic/webhooks/v1/webhooks.js';
import type { WebhookServiceServer } from '../gen/stic/webhooks/v1/webhooks.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { WebhooksService } from './webhooks.service.js';

@Injectable()
export class WebhooksGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly webhooks: WebhooksService,
  ) {}

  onModuleInit(): void {
    const { webhooks } = this;
    const implementation: WebhookServiceServer = {
      createEndpoint: unary((request) => webhooks.create(request)),
      getEndpoint: unary((request) => webhooks.get(request)),
      listEndpoints: unary((request) => webhooks.list(request)),
      updateEndpoint: unary((request) => webhooks.update(request)),
      deleteEndpoint: unary((request) => webhooks.delete(request)),
      rotateSecret: unary((request) => webhooks.rotate(request)),
      testEndpoint: unary((request) => webhooks.test(request)),
      listDeliveries: unary((request) => webhooks.deliveries(request)),
      redeliver: unary((request) => webhooks.redeliver(request)),
    };
    this.server.add(WebhookServiceService, implementation);
  }
}
