import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import {
  type Alias,
  type GetAliasRequest,
  type ListAliasesRequest,
  type ListAliasesResponse,
  type ListMovesRequest,
  type ListMovesResponse,
  type Move,
  type MoveAliasResponse,
  MoveKind,
  Provenance,
  type RollbackAliasRequest,
  type SetAliasRequest,
} from '@stic/api/gen/stic/registry/v1/registry.js';
import { CheckpointEntity } from '../model/index.js';
import { caller } from '../platform/caller.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { checkedText } from '../platform/text.js';
import { once } from '../platform/database/idempotency.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { AliasEntity, AliasMoveEntity } from './alias.entity.js';
import { defaultAlias } from './gate.js';
import { lockAlias, moveAlias } from './move.js';
import { aliasList, moveList } from './registry.lists.js';
import { moveToUndo } from './restore.js';

const aliasName = /^[a-z][a-z0-9_-]{0,62}$/;

/** stic.registry.v1.RegistryService, as far as it is about aliases. */
@Injectable()
export class AliasesService {
  constructor(private readonly db: DataSource) {}

  async get({ aliasId }: GetAliasRequest): Promise<Alias> {
    checkId('alias_id', aliasId);
    const row = await this.db.manager.findOneBy(AliasEntity, { id: aliasId });
    if (!row) throw noAlias(aliasId);
    return this.toAlias(row, await lastMoves(this.db.manager, [row]));
  }

  async list(request: ListAliasesRequest): Promise<ListAliasesResponse> {
    const { baseModelDigest, name } = request;
    const query = this.db.manager.createQueryBuilder(AliasEntity, 'alias');
    if (baseModelDigest !== '') query.andWhere('alias.baseModelDigest = :baseModelDigest', { baseModelDigest });
    if (name !== '') query.andWhere('alias.name = :name', { name });
    const { page, nextPageToken } = await paginate(query, aliasList, request);
    const moves = await lastMoves(this.db.manager, page);
    return { aliases: page.map((row) => this.toAlias(row, moves)), nextPageToken };
  }

  async moves(request: ListMovesRequest): Promise<ListMovesResponse> {
    const alias = await this.get(request);
    const query = this.db.manager.createQueryBuilder(AliasMoveEntity, 'move').where('move.aliasId = :id', { id: alias.id });
    const { page, nextPageToken } = await paginate(query, moveList, request);
    return { moves: page.map(toMove), nextPageToken };
  }

  async set(request: SetAliasRequest): Promise<MoveAliasResponse> {
    checkId('checkpoint_id', request.checkpointId);
    const name = request.name || defaultAlias;
    if (!aliasName.test(name))
      throw invalid('name', `"${shown(name)}" is not a name for an alias.`, 'Use a-z, 0-9, - and _, a letter first.');
    const reason = reasonOf(request.reason);
    const made = await once(this.db, { method: 'SetAlias', request }, async (manager) => {
      const to = await manager.findOneBy(CheckpointEntity, { id: request.checkpointId });
      if (!to) throw notFound(`There is no checkpoint ${request.checkpointId}.`, 'checkpoint_id');
      const alias = await lockAlias(manager, to, name);
      checkVersion(alias, request.version);
      if (alias.checkpointId === to.id) {
        throw new DomainError('FAILED_PRECONDITION', `${name} points at this checkpoint already.`, { field: 'checkpoint_id' });
      }
      return moveName(await moveAlias(manager, alias, { kind: MoveKind.MOVE_KIND_SET, to, actor: caller(), reason }));
    });
    return this.moved(made);
  }

  async rollback(request: RollbackAliasRequest): Promise<MoveAliasResponse> {
    checkId('alias_id', request.aliasId);
    const reason = reasonOf(request.reason);
    const made = await once(this.db, { method: 'RollbackAlias', request }, async (manager) => {
      const alias = await manager.findOne(AliasEntity, { where: { id: request.aliasId }, lock: { mode: 'pessimistic_write' } });
      if (!alias) throw noAlias(request.aliasId);
      checkVersion(alias, request.version);
      const undone = await lastStandingMove(manager, alias);
      const to = undone.from === null ? null : await manager.findOneBy(CheckpointEntity, { id: undone.from });
      if (undone.from !== null && !to) {
        throw new DomainError('FAILED_PRECONDITION', `The checkpoint ${undone.from} before move ${undone.number} has been deleted.`, {
          field: 'alias_id',
          hint: 'Point the alias at a checkpoint that is still there.',
        });
      }
      const kind = MoveKind.MOVE_KIND_ROLLED_BACK;
      return moveName(await moveAlias(manager, alias, { kind, to, actor: caller(), reason, undoes: undone.number }));
    });
    return this.moved(made);
  }

  /** The alias as it is now and the move that a request made. */
  private async moved(made: string): Promise<MoveAliasResponse> {
    const [aliasId = '', number] = made.split(' ');
    const move = await this.db.manager.findOneByOrFail(AliasMoveEntity, { aliasId, number: Number(number) });
    return { alias: await this.get({ aliasId }), move: toMove(move) };
  }

  private toAlias(row: AliasEntity, moves: ReadonlyMap<string, AliasMoveEntity>): Alias {
    const { id, baseModelDigest, baseModelPath, name, version, updatedAt } = row;
    const provenance = moves.get(id)?.provenance;
    return {
      id,
      baseModelDigest,
      baseModelPath,
      name,
      checkpointId: row.checkpointId ?? '',
      version,
      updatedAt,
      provenance: provenance ? Provenance.fromJSON(provenance) : undefined,
    };
  }
}

/** The move each alias was last moved by. */
async function lastMoves(manager: EntityManager, aliases: readonly AliasEntity[]): Promise<ReadonlyMap<string, AliasMoveEntity>> {
  if (aliases.length === 0) return new Map();
  const rows = await manager
    .createQueryBuilder(AliasMoveEntity, 'move')
    .distinctOn(['move.aliasId'])
    .where({ aliasId: In(aliases.map((alias) => alias.id)) })
    .orderBy('move.aliasId')
    .addOrderBy('move.number', 'DESC')
    .getMany();
  return new Map(rows.map((row) => [row.aliasId, row]));
}

async function lastStandingMove(manager: EntityManager, alias: AliasEntity): Promise<{ number: number; from: string | null }> {
  const moves = await manager.find(AliasMoveEntity, { where: { aliasId: alias.id }, order: { number: 'ASC' } });
  const undone = moveToUndo(moves.map(({ number, kind, fromCheckpointId }) => ({ number, kind, from: fromCheckpointId })));
  if (undone) return undone;
  throw new DomainError('FAILED_PRECONDITION', `Every move of ${alias.name} has been taken back: it stands for the base model.`, {
    field: 'alias_id',
  });
}

const moveName = ({ aliasId, number }: AliasMoveEntity): string => `${aliasId} ${number}`;

function toMove(row: AliasMoveEntity): Move {
  const { number, kind, actor, reason, at, undoes } = row;
  return {
    number,
    kind,
    fromCheckpointId: row.fromCheckpointId ?? '',
    toCheckpointId: row.toCheckpointId ?? '',
    actor,
    reason,
    at,
    runId: row.runId ?? '',
    undoes,
    provenance: row.provenance ? Provenance.fromJSON(row.provenance) : undefined,
  };
}

function checkVersion(alias: AliasEntity, seen: number): void {
  if (seen === 0 || seen === alias.version) return;
  throw new DomainError('FAILED_PRECONDITION', `${alias.name} has moved meanwhile: it is at version ${alias.version}, not ${seen}.`, {
    field: 'version',
    hint: 'Look at its history and decide again.',
  });
}

export function reasonOf(text: string, field = 'reason'): string {
  return checkedText(field, text);
}

const noAlias = (id: string): DomainError => notFound(`There is no alias ${id}.`, 'alias_id');
