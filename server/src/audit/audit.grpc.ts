import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { AuditServiceService } from '../gen/stic/registry/v1/audit.js';
import type { AuditServiceServer } from '../gen/stic/registry/v1/audit.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { AuditService } from './audit.service.js';

@Injectable()
export class AuditGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    const implementation: AuditServiceServer = { listAuditEntries: unary((request) => this.audit.list(request)) };
    this.server.add(AuditServiceService, implementation);
  }
}
