import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { audit } from '../audit/index.js';
import { DeletedCheckpoint, type RetentionApplication, RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';
import { caller } from '../platform/caller.js';
import type { Fate } from './decide.js';
import { RetentionApplicationEntity } from './retention.entity.js';

/** What has been deleted in a transaction, and by which rules. */
export type Deleted = {
  readonly rules: RetentionRules;
  readonly going: readonly Fate[];
  readonly deliveries: number;
  readonly ticks: number;
};

/** Writes down what has been deleted, in the transaction that deletes it; gives the id under which the bytes can be added. */
export async function record(manager: EntityManager, { rules, going, deliveries, ticks }: Deleted, at: Date): Promise<string> {
  const id = randomUUID();
  const actor = caller();
  const json = RetentionRules.toJSON(rules) as object;
  const deleted = going.map(
    ({ fact }) => DeletedCheckpoint.toJSON({ checkpointId: fact.id, name: nameOf(fact), bytes: fact.bytes }) as object,
  );
  await manager.insert(RetentionApplicationEntity, { id, at, actor, rules: json, deleted, deliveries, ticks });
  const details = { rules: JSON.stringify(json), checkpoints: String(going.length), deliveries: String(deliveries), ticks: String(ticks) };
  await audit(manager, { verb: 'apply', subject: { type: 'retention', id, name: 'retention' }, details });
  return id;
}

export const nameOf = (fact: Fate['fact']): string => `${fact.name} of ${fact.runName}`;

export function toApplication(row: RetentionApplicationEntity): RetentionApplication {
  const { id, at, actor, freed, deliveries, ticks } = row;
  const deleted = row.deleted.map((one) => DeletedCheckpoint.fromJSON(one));
  return { id, at, actor, rules: RetentionRules.fromJSON(row.rules), deleted, freed: BigInt(freed), deliveries, ticks };
}
