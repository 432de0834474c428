import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn, QueryFailedError } from 'typeorm';
import { digestOf } from '../digest.js';
import { DomainError } from '../errors.js';

const UNIQUE_VIOLATION = '23505';

/** A request that was carried out, stored with what it made in one transaction (AIP-155). */
@Entity('idempotency_key')
export class IdempotencyKeyEntity {
  @PrimaryColumn('text')
  requestId!: string;

  /** The rpc. */
  @Column('text')
  method!: string;

  /** Of the request without its id; empty for requests stored before digests were. */
  @Column('text')
  digest!: string;

  /** Names what the request made. */
  @Column('text')
  result!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

/** A request as it is told apart from others: its rpc, and itself with its request_id. */
export type Keyed = { readonly method: string; readonly request: { readonly requestId: string } };

/**
 * Does the work once per request_id, in one transaction with the record that it was done, and gives the work's result; a repeated
 * request gets the first one's. ALREADY_EXISTS when the id was used for another request. Without an id the work is simply done.
 */
export async function once(db: DataSource, keyed: Keyed, work: (manager: EntityManager) => Promise<string>): Promise<string> {
  if (keyed.request.requestId === '') return db.transaction(work);
  const done = await doneBefore(db.manager, keyed);
  if (done !== undefined) return done;
  try {
    return await db.transaction(async (manager) => {
      const result = await work(manager);
      await remember(manager, keyed, result);
      return result;
    });
  } catch (error) {
    // The same request may have been carried out at the same time; then what it made can stand in the way of this one.
    if (!(error instanceof DomainError) && violatedConstraint(error) === undefined) throw error;
    const meanwhile = await doneBefore(db.manager, keyed);
    if (meanwhile === undefined) throw error;
    return meanwhile;
  }
}

/** The result of the same request; undefined when there was none. ALREADY_EXISTS when the id was used for another. */
export async function doneBefore(manager: EntityManager, keyed: Keyed): Promise<string | undefined> {
  const { requestId } = keyed.request;
  const key = requestId === '' ? null : await manager.findOneBy(IdempotencyKeyEntity, { requestId });
  if (!key) return undefined;
  if (key.method !== keyed.method || (key.digest !== '' && key.digest !== contentOf(keyed))) {
    throw new DomainError('ALREADY_EXISTS', 'This request_id was used for another request.', {
      field: 'request_id',
      hint: 'Use a new id for a new request.',
    });
  }
  return key.result;
}

/** The result of whatever request had this id. */
export async function resultOf(manager: EntityManager, requestId: string): Promise<string | undefined> {
  return (await manager.findOneBy(IdempotencyKeyEntity, { requestId }))?.result;
}

async function remember(manager: EntityManager, keyed: Keyed, result: string): Promise<void> {
  const { method, request } = keyed;
  await manager.insert(IdempotencyKeyEntity, {
    requestId: request.requestId,
    method,
    digest: contentOf(keyed),
    result,
    createdAt: new Date(),
  });
}

const contentOf = ({ request }: Keyed): string => digestOf({ ...request, requestId: '' });

/** Name of the unique constraint that a write has violated. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const cause = error.driverError as { code?: string; constraint?: string };
  return cause.code === UNIQUE_VIOLATION ? cause.constraint : undefined;
}
