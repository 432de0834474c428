export { retentionEntities } from './retention.entity.js';
export { RetentionModule } from './retention.module.js';
