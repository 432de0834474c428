import { RetentionServiceDefinition } from '@stic/api/gen/stic/retention/v1/retention.js';
import { serves } from '../platform/api/serves.js';
import { PolicyService } from './policy.service.js';
import { RetentionService } from './retention.service.js';

export const retentionApi = serves(RetentionServiceDefinition, [RetentionService, PolicyService], (retention, policies) => ({
  planRetention: (request) => retention.plan(request),
  applyRetention: (request) => retention.apply(request),
  pinCheckpoint: (request) => retention.pin(request),
  listOrphans: (request) => retention.orphans(request),
  removeOrphans: (request) => retention.removeOrphans(request),
  getRetentionPolicy: () => policies.get(),
  setRetentionPolicy: (request) => policies.set(request),
  listRetentionApplications: (request) => policies.applications(request),
}));
