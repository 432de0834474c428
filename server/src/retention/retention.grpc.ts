import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type RetentionServiceServer, RetentionServiceService } from '../gen/stic/retention/v1/retention.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { PolicyService } from './policy.service.js';
import { RetentionService } from './retention.service.js';

@Injectable()
export class RetentionGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly retention: RetentionService,
    private readonly policies: PolicyService,
  ) {}

  onModuleInit(): void {
    const { retention, policies } = this;
    const implementation: RetentionServiceServer = {
      planRetention: unary((request) => retention.plan(request)),
      applyRetention: unary((request) => retention.apply(request)),
      pinCheckpoint: unary((request) => retention.pin(request)),
      listOrphans: unary((request) => retention.orphans(request)),
      removeOrphans: unary((request) => retention.removeOrphans(request)),
      getRetentionPolicy: unary(() => policies.get()),
      setRetentionPolicy: unary((request) => policies.set(request)),
      listRetentionApplications: unary((request) => policies.applications(request)),
    };
    this.server.add(RetentionServiceService, implementation);
  }
}
