import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type RetentionServiceServer, RetentionServiceService } from '../gen/stic/retention/v1/retention.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { RetentionService } from './retention.service.js';

@Injectable()
export class RetentionGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly retention: RetentionService,
  ) {}

  onModuleInit(): void {
    const { retention } = this;
    const implementation: RetentionServiceServer = {
      planRetention: unary((request) => retention.plan(request)),
      applyRetention: unary((request) => retention.apply(request)),
      pinCheckpoint: unary((request) => retention.pin(request)),
      listOrphans: unary((request) => retention.orphans(request)),
      removeOrphans: unary((request) => retention.removeOrphans(request)),
    };
    this.server.add(RetentionServiceService, implementation);
  }
}
