import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import {
  type ApproveGateRequest,
  BenchmarkVerdict,
  type Gate,
  GateState,
  type GetGateRequest,
  type ListGatesRequest,
  type ListGatesResponse,
  type RejectGateRequest,
} from '@stic/api/gen/stic/registry/v1/registry.js';
import { CheckpointEntity, RunEntity } from '../model/index.js';
import { caller } from '../platform/caller.js';
import { DomainError, notFound } from '../platform/errors.js';
import { once } from '../platform/database/idempotency.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { reasonOf } from './aliases.service.js';
import { lockGate, obstacleTo, promote, settle } from './gate.js';
import { GateEntity } from './gate.entity.js';
import { gateList } from './registry.lists.js';

/** stic.registry.v1.RegistryService, as far as it is about gates. */
@Injectable()
export class GatesService {
  constructor(private readonly db: DataSource) {}

  async get({ runId }: GetGateRequest): Promise<Gate> {
    checkId('run_id', runId);
    const gate = await this.db.manager.findOneBy(GateEntity, { runId });
    if (!gate) throw notFound(`Run ${runId} has no gate, or has not got there yet.`, 'run_id');
    const [shown] = await this.toGates([gate]);
    if (!shown) throw notFound(`There is no run ${runId}.`, 'run_id');
    return shown;
  }

  async list(request: ListGatesRequest): Promise<ListGatesResponse> {
    const query = this.db.manager.createQueryBuilder(GateEntity, 'gate');
    if (request.state !== GateState.GATE_STATE_UNSPECIFIED) query.andWhere('gate.state = :state', { state: request.state });
    const { page, nextPageToken } = await paginate(query, gateList, request);
    return { gates: await this.toGates(page), nextPageToken };
  }

  async approve(request: ApproveGateRequest): Promise<Gate> {
    const comment = reasonOf(request.comment, 'comment');
    await this.inPending('ApproveGate', request, async (manager, gate, run) => {
      const candidate = await manager.findOneByOrFail(CheckpointEntity, { id: gate.candidateId ?? '' });
      const obstacle = await obstacleTo(manager, gate, candidate);
      if (obstacle !== undefined) {
        throw new DomainError('FAILED_PRECONDITION', obstacle, {
          field: 'run_id',
          hint: 'Reject it and let a run be compared with the present champion, or set the alias by hand.',
        });
      }
      gate.comment = comment;
      const reason = `Approved. ${comment} ${gate.reasons[0] ?? ''}`.replaceAll(/\s+/g, ' ').trim();
      await promote(manager, run, gate, candidate, { by: caller(), actor: caller(), reason });
    });
    return this.get(request);
  }

  async reject(request: RejectGateRequest): Promise<Gate> {
    const comment = reasonOf(request.comment, 'comment');
    await this.inPending('RejectGate', request, async (manager, gate, run) => {
      gate.comment = comment;
      await settle(manager, run, gate, GateState.GATE_STATE_REJECTED, caller());
    });
    return this.get(request);
  }

  /** The work, on a gate that waits for approval. Whoever comes second is told so. */
  private async inPending(
    method: string,
    request: { runId: string; requestId: string },
    work: (manager: EntityManager, gate: GateEntity, run: RunEntity) => Promise<void>,
  ): Promise<void> {
    const { runId } = request;
    const { state } = await this.get({ runId });
    await once(this.db, { method, request }, async (manager) => {
      const gate = await lockGate(manager, runId, GateState.GATE_STATE_PENDING);
      if (!gate) {
        throw new DomainError('FAILED_PRECONDITION', `The gate does not wait for approval; it is ${inWords(state)}.`, { field: 'run_id' });
      }
      await work(manager, gate, await manager.findOneByOrFail(RunEntity, { id: runId }));
      return runId;
    });
  }

  private async toGates(rows: readonly GateEntity[]): Promise<Gate[]> {
    const runs = await this.db.manager.findBy(RunEntity, { id: In(rows.map((row) => row.runId)) });
    return rows.flatMap((row) => {
      const run = runs.find((one) => one.id === row.runId);
      return run ? [toGate(row, run)] : [];
    });
  }
}

function toGate(row: GateEntity, run: RunEntity): Gate {
  const { runId, state, baseModelDigest, championRunName, meanGain, reasons, decidedBy, comment, createdAt } = row;
  return {
    runId,
    runName: run.name,
    state,
    config: Recipe.fromJSON(run.recipe).gate,
    candidateId: row.candidateId ?? '',
    championId: row.championId ?? '',
    championRunName,
    benchmarks: row.benchmarks.map((one) => BenchmarkVerdict.fromPartial(one)),
    meanGain,
    reasons,
    decidedBy,
    comment,
    createdAt,
    decidedAt: row.decidedAt ?? undefined,
    baseModelDigest,
  };
}

const inWords = (state: GateState): string => state.replace('GATE_STATE_', '').toLowerCase();
