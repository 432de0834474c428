import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { audit } from '../audit/index.js';
import { MoveKind, Provenance } from '@stic/api/gen/stic/registry/v1/registry.js';
import { type CheckpointEntity } from '../model/index.js';
import { DomainError } from '../platform/errors.js';
import { AliasEntity, AliasMoveEntity } from './alias.entity.js';
import { provenanceOf } from './provenance.js';

/** The adapters of one base model. */
export type Line = { readonly baseModelDigest: string; readonly baseModelPath: string };

export type MoveOf = {
  readonly kind: MoveKind;
  /** Null: the base model. */
  readonly to: CheckpointEntity | null;
  readonly actor: string;
  readonly reason: string;
  readonly runId?: string;
  readonly undoes?: number;
};

const verbs: Readonly<Partial<Record<MoveKind, string>>> = {
  [MoveKind.MOVE_KIND_PROMOTED]: 'promote',
  [MoveKind.MOVE_KIND_SET]: 'set',
  [MoveKind.MOVE_KIND_ROLLED_BACK]: 'roll_back',
};

/** The alias of a line, made if need be and locked until the end of the transaction. */
export async function lockAlias(manager: EntityManager, line: Line, name: string): Promise<AliasEntity> {
  await manager.query(
    `INSERT INTO alias (id, base_model_digest, base_model_path, name, version, updated_at) VALUES ($1, $2, $3, $4, 0, now())
     ON CONFLICT (base_model_digest, name) DO NOTHING`,
    [randomUUID(), line.baseModelDigest, line.baseModelPath, name],
  );
  const where = { baseModelDigest: line.baseModelDigest, name };
  return manager.findOneOrFail(AliasEntity, { where, lock: { mode: 'pessimistic_write' } });
}

/** Moves a locked alias: pointer, history and audit entry, in the caller's transaction. */
export async function moveAlias(manager: EntityManager, alias: AliasEntity, move: MoveOf): Promise<AliasMoveEntity> {
  const { kind, to, actor, reason, runId = null, undoes = 0 } = move;
  if (to) await checkIsThere(manager, to);
  const at = new Date();
  const row = manager.create(AliasMoveEntity, {
    aliasId: alias.id,
    number: alias.version + 1,
    kind,
    fromCheckpointId: alias.checkpointId,
    toCheckpointId: to?.id ?? null,
    actor,
    reason,
    at,
    runId,
    undoes,
    provenance: to ? (Provenance.toJSON(await provenanceOf(manager, to)) as object) : null,
  });
  await manager.insert(AliasMoveEntity, row);
  const now = { checkpointId: row.toCheckpointId, version: row.number, updatedAt: at };
  await manager.update(AliasEntity, alias.id, now);
  Object.assign(alias, now);
  await audit(manager, {
    verb: verbs[kind] ?? 'move',
    actor,
    subject: { type: 'alias', id: alias.id, name: alias.name },
    details: { from: row.fromCheckpointId ?? 'base model', to: row.toCheckpointId ?? 'base model', reason, move: String(row.number) },
  });
  return row;
}

/** Its files are there, and stay as long as the transaction goes on; afterwards the alias keeps them. */
async function checkIsThere(manager: EntityManager, { id }: CheckpointEntity): Promise<void> {
  const [row] = await manager.query<{ gone: boolean }[]>(
    'SELECT deleted_at IS NOT NULL AS gone FROM checkpoint WHERE id = $1 FOR KEY SHARE',
    [id],
  );
  if (row?.gone !== true) return;
  throw new DomainError('FAILED_PRECONDITION', `The files of checkpoint ${id} have been deleted.`, {
    hint: 'Point the alias at a checkpoint that is still there.',
  });
}
