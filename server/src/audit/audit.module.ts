import { Module } from '@nestjs/common';
import { auditApi } from './audit.api.js';
import { AuditService } from './audit.service.js';

@Module({ providers: [AuditService, auditApi] })
export class AuditModule {}
