import { AuditServiceDefinition } from '@stic/api/gen/stic/audit/v1/audit.js';
import { serves } from '../platform/api/serves.js';
import { AuditService } from './audit.service.js';

export const auditApi = serves(AuditServiceDefinition, [AuditService], (audit) => ({
  listAuditEntries: (request) => audit.list(request),
}));
