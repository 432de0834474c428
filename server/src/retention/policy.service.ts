import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { audit } from '../audit/index.js';
import {
  type ListRetentionApplicationsRequest,
  type ListRetentionApplicationsResponse,
  RetentionPolicy,
  type SetRetentionPolicyRequest,
} from '@stic/api/gen/stic/retention/v1/retention.js';
import { Clock } from '../platform/clock.js';
import { cut, pageSize, timePosition } from '../platform/pages.js';
import { toApplication } from './applications.js';
import { checkedPolicy, readPolicy, THE_POLICY, toPolicy } from './policy.js';
import { RetentionApplicationEntity, RetentionPolicyEntity } from './retention.entity.js';

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
      await manager.upsert(RetentionPolicyEntity, row, ['id']);
      const details = { policy: JSON.stringify(RetentionPolicy.toJSON(toPolicy(row))) };
      await audit(manager, { verb: 'set_policy', subject: { type: 'retention', id: String(THE_POLICY), name: 'retention' }, details });
    });
    return this.get();
  }

  async applications(request: ListRetentionApplicationsRequest): Promise<ListRetentionApplicationsResponse> {
    const limit = pageSize(request.pageSize);
    const position = timePosition.decode(request.pageToken);
    const query = this.db.manager.createQueryBuilder(RetentionApplicationEntity, 'one').orderBy({ 'one.at': 'DESC', 'one.id': 'DESC' });
    if (position) query.andWhere('(one.at, one.id) < (:at, :id)', position);
    const { page, last } = cut(await query.limit(limit + 1).getMany(), limit);
    return {
      applications: page.map(toApplication),
      nextPageToken: last ? timePosition.encode({ at: last.at.toISOString(), id: last.id }) : '',
    };
  }
}
