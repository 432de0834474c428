import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { type RetentionPolicy, RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';
import { invalid } from '../platform/errors.js';
import { etagOf } from '../platform/etag.js';
import { FireTimes } from '../schedules/index.js';
import { RetentionPolicyEntity } from './retention.entity.js';
import { checkedRules, deletingRules, LARGEST_RULE } from './rules.js';

/** The id of the one row. */
export const THE_POLICY = 1;

/** What a person is offered who has not stored anything yet. */
const usual: RetentionPolicy = {
  rules: { keepLastPerSchedule: 7, keepBestPerBenchmark: 3, keepDays: 30, keepNone: false },
  enabled: false,
  hour: 4,
  zone: 'UTC',
  deliveryDays: 30,
  skippedTickDays: 30,
  nextAt: undefined,
  etag: '',
};

export async function readPolicy(manager: EntityManager): Promise<RetentionPolicy> {
  const row = await manager.findOneBy(RetentionPolicyEntity, { id: THE_POLICY });
  return row ? toPolicy(row) : { ...usual, etag: etagOf('usual') };
}

export function toPolicy(row: RetentionPolicyEntity): RetentionPolicy {
  const { enabled, hour, zone, deliveryDays, skippedTickDays, nextAt } = row;
  const etag = etagOf([row.rules, enabled, hour, zone, deliveryDays, skippedTickDays]);
  const rules = RetentionRules.fromJSON(row.rules);
  return { rules, enabled, hour, zone, deliveryDays, skippedTickDays, nextAt: nextAt ?? undefined, etag };
}

/** The row of a policy that somebody asks for, checked. */
export function checkedPolicy(policy: RetentionPolicy | undefined, now: Date): RetentionPolicyEntity {
  if (!policy) throw invalid('policy', 'policy is missing.');
  const { enabled, hour, deliveryDays, skippedTickDays, zone } = policy;
  const rules = RetentionRules.toJSON(enabled ? deletingRules(policy.rules) : checkedRules(policy.rules)) as object;
  checkWithin('hour', hour, 23);
  checkWithin('delivery_days', deliveryDays, LARGEST_RULE);
  checkWithin('skipped_tick_days', skippedTickDays, LARGEST_RULE);
  const next = nextNight({ hour, zone }, now);
  return { id: THE_POLICY, rules, enabled, hour, zone, deliveryDays, skippedTickDays, nextAt: enabled ? next : null };
}

/** The first time after the moment that the zone's clocks show the hour: once a night, on both daylight-saving nights too. */
export function nextNight({ hour, zone }: Pick<RetentionPolicy, 'hour' | 'zone'>, after: Date): Date | null {
  return new FireTimes(`0 ${hour} * * *`, zone).next(after) ?? null;
}

/** Its time has come, says a look that claims nothing. */
export const isDue = (manager: EntityManager, now: Date): Promise<boolean> => due(manager, now).getExists();

/** The policy if its time has come, locked until the end of the transaction; null when it has not, or when somebody else has it. */
export const lockDuePolicy = (manager: EntityManager, now: Date): Promise<RetentionPolicyEntity | null> =>
  due(manager, now).setLock('pessimistic_write').setOnLocked('skip_locked').getOne();

/** No night is two days off: one that is was reckoned before the clock was set back. */
function due(manager: EntityManager, now: Date): SelectQueryBuilder<RetentionPolicyEntity> {
  return manager
    .createQueryBuilder(RetentionPolicyEntity, 'policy')
    .where('policy.enabled')
    .andWhere(`(policy.nextAt <= :now OR policy.nextAt > CAST(:now AS timestamptz) + interval '2 days')`, { now });
}

function checkWithin(field: string, value: number, most: number): void {
  if (value < 0 || value > most) throw invalid(field, `${field} must be from 0 to ${most}.`);
}
