import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { caller } from '../platform/caller.js';
import { AuditEntryEntity } from './audit.entity.js';

export type SubjectType = 'run' | 'dataset' | 'checkpoint' | 'alias' | 'gate' | 'webhook' | 'schedule' | 'retention';

export type Change = {
  /** What was done, as a verb: create, cancel, promote, ... */
  readonly verb: string;
  readonly subject: { readonly type: SubjectType; readonly id: string; readonly name: string };
  /** What else there is to know; never a secret. */
  readonly details?: Readonly<Record<string, string>>;
  /** Who, where it is not the caller of the request. */
  readonly actor?: string;
};

/** Writes down a change in the transaction that makes it: both happen, or neither. */
export async function audit(manager: EntityManager, { verb, subject, details = {}, actor = caller() }: Change): Promise<void> {
  await manager.insert(AuditEntryEntity, {
    id: randomUUID(),
    at: new Date(),
    actor,
    action: `${subject.type}.${verb}`,
    subjectType: subject.type,
    subjectId: subject.id,
    subjectName: subject.name,
    details,
  });
}
