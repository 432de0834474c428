import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditGrpc } from './audit.grpc.js';
import { AuditService } from './audit.service.js';

@Module({ providers: [AuditService, AuditGrpc], controllers: [AuditController] })
export class AuditModule {}
