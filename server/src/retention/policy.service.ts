import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { audit } from '../audit/index.js';
import {
  type ListRetentionApplicationsRequest,
  type ListRetentionApplicationsResponse,
  RetentionPolicy,
  type SetRetentionPolicyRequest,
} from '@stic/api/gen/stic/retention/v1/retention.js';
import { checkEtag } from '../platform/etag.js';
import { Clock } from '../platform/clock.js';
import { paginate } from '../platform/filter/index.js';
import { toApplication } from './applications.js';
import { checkedPolicy, readPolicy, THE_POLICY, toPolicy } from './policy.js';
import { RetentionApplicationEntity, RetentionPolicyEntity } from './retention.entity.js';
import { applicationList } from './retention.list.js';

/** stic.retention.v1.RetentionService, as far as it is about what is applied by itself and what has been applied. */
@Injectable()
export class PolicyService {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
  ) {}

  get(): Promise<RetentionPolicy> {
    return readPolicy(this.db.manager);
  }

  async set({ policy }: SetRetentionPolicyRequest): Promise<RetentionPolicy> {
    const row = checkedPolicy(policy, await this.clock.now());
    await this.db.transaction(async (manager) => {
      // There may be no row to lock yet.
      await manager.query('LOCK TABLE retention_policy IN SHARE ROW EXCLUSIVE MODE');
      checkEtag(policy?.etag ?? '', (await readPolicy(manager)).etag, 'The retention policy');
      await manager.upsert(RetentionPolicyEntity, row, ['id']);
      const details = { policy: JSON.stringify(RetentionPolicy.toJSON(toPolicy(row))) };
      await audit(manager, { verb: 'set_policy', subject: { type: 'retention', id: String(THE_POLICY), name: 'retention' }, details });
    });
    return this.get();
  }

  async applications(request: ListRetentionApplicationsRequest): Promise<ListRetentionApplicationsResponse> {
    const query = this.db.manager.createQueryBuilder(RetentionApplicationEntity, 'one');
    const { page, nextPageToken } = await paginate(query, applicationList, request);
    return { applications: page.map(toApplication), nextPageToken };
  }
}
