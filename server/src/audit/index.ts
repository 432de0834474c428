export { audit, type Change } from './audit.js';
export { AuditEntryEntity } from './audit.entity.js';
export { AuditModule } from './audit.module.js';
