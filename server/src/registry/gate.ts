import type { EntityManager } from 'typeorm';
import { audit } from '../audit/index.js';
import { type GateConfig, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { GateState, MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import { CheckpointEntity, RunEntity, RunInputEntity } from '../model/index.js';
import { announce } from '../webhooks/index.js';
import { AliasEntity } from './alias.entity.js';
import { GateEntity } from './gate.entity.js';
import { lockAlias, moveAlias } from './move.js';
import { type Cell, decide } from './rule.js';

export const defaultAlias = 'champion';

/**
 * Fixes the champion that the run's candidate will be compared with: what the alias points at now that the evaluation can begin. Later
 * attempts of the evaluation take up texts of earlier ones, so they must not meet another champion. Does nothing without a gate.
 */
export async function openGate(manager: EntityManager, run: RunEntity): Promise<void> {
  const { gate, model } = Recipe.fromJSON(run.recipe);
  if (!gate || !model) return;
  const alias = await manager.findOneBy(AliasEntity, { baseModelDigest: model.digest, name: gate.alias });
  const champion = alias?.checkpointId ? await manager.findOneByOrFail(CheckpointEntity, { id: alias.checkpointId }) : null;
  const maker = champion?.runId ? await manager.findOneByOrFail(RunEntity, { id: champion.runId }) : null;
  await manager.save(GateEntity, {
    runId: run.id,
    state: GateState.GATE_STATE_WAITING,
    baseModelDigest: model.digest,
    alias: gate.alias,
    candidateId: null,
    championId: champion?.id ?? null,
    // An imported champion goes by its own name.
    championRunName: maker?.name ?? champion?.name ?? '',
    benchmarks: [],
    meanGain: 0,
    reasons: [],
    decidedBy: '',
    comment: '',
    createdAt: new Date(),
    decidedAt: null,
  });
}

/** Decides a waiting gate by its rule, in the transaction in which its run has succeeded. Does nothing without one. */
export async function decideGate(manager: EntityManager, run: RunEntity): Promise<void> {
  const gate = await lockGate(manager, run.id, GateState.GATE_STATE_WAITING);
  const config = Recipe.fromJSON(run.recipe).gate;
  const candidate = await lastCheckpoint(manager, run.id);
  if (!gate || !config || !candidate) return;
  gate.candidateId = candidate.id;
  const asked = await manager.findBy(RunInputEntity, { runId: run.id, role: 'benchmark' });
  const decision = decide(
    config,
    await cellsOf(manager, run.id, candidate.name, gate.championId !== null),
    asked.map((input) => input.benchmark),
    gate.championId === null ? 'the base model' : 'the champion',
  );
  Object.assign(gate, { benchmarks: decision.benchmarks, meanGain: decision.meanGain, reasons: decision.reasons });
  const obstacle = decision.promote ? await obstacleTo(manager, gate, candidate) : undefined;
  if (obstacle !== undefined) gate.reasons = [obstacle, ...gate.reasons];
  if (!decision.promote || obstacle !== undefined) return settle(manager, run, gate, GateState.GATE_STATE_KEPT, 'the rule');
  if (config.requireApproval) return ask(manager, run, gate, config);
  return promote(manager, run, gate, candidate, { by: 'the rule', actor: `gate of run ${run.name}`, reason: decision.reasons[0] ?? '' });
}

/** Promotes the candidate of a locked gate: alias, history, audit entry, webhook and verdict together. */
export async function promote(
  manager: EntityManager,
  run: RunEntity,
  gate: GateEntity,
  candidate: CheckpointEntity,
  decided: { readonly by: string; readonly actor: string; readonly reason: string },
): Promise<void> {
  const alias = await lockAlias(manager, candidate, gate.alias);
  const { actor, reason } = decided;
  await moveAlias(manager, alias, { kind: MoveKind.MOVE_KIND_PROMOTED, to: candidate, actor, reason, runId: run.id });
  await settle(manager, run, gate, GateState.GATE_STATE_PROMOTED, decided.by);
}

/** Ends a locked gate in favour of the champion, or as promoted, and tells who wants to know. */
export async function settle(manager: EntityManager, run: RunEntity, gate: GateEntity, state: GateState, decidedBy: string): Promise<void> {
  Object.assign(gate, { state, decidedBy, decidedAt: new Date() });
  await manager.save(GateEntity, gate);
  const promoted = state === GateState.GATE_STATE_PROMOTED;
  if (!promoted) {
    const details = { champion: gate.championId ?? 'base model', candidate: gate.candidateId ?? '', reason: gate.reasons[0] ?? '' };
    const verb = state === GateState.GATE_STATE_REJECTED ? 'reject' : 'keep';
    await audit(manager, { verb, subject: { type: 'gate', id: run.id, name: run.name }, details });
  }
  await announce(manager, promoted ? 'checkpoint.promoted' : 'checkpoint.kept', verdictOf(run, gate));
}

async function ask(manager: EntityManager, run: RunEntity, gate: GateEntity, config: GateConfig): Promise<void> {
  gate.state = GateState.GATE_STATE_PENDING;
  await manager.save(GateEntity, gate);
  const details = { candidate: gate.candidateId ?? '', alias: config.alias };
  await audit(manager, { verb: 'ask', subject: { type: 'gate', id: run.id, name: run.name }, details });
  await announce(manager, 'approval.needed', verdictOf(run, gate));
}

/** The champion that the run's candidate is compared with; undefined for the base model, or without a gate. */
export async function championOf(manager: EntityManager, runId: string): Promise<string | undefined> {
  return (await manager.findOneBy(GateEntity, { runId }))?.championId ?? undefined;
}

/** The run has ended without an evaluation: there is nothing to decide. */
export async function abandonGate(manager: EntityManager, runId: string): Promise<void> {
  const where = { runId, state: GateState.GATE_STATE_WAITING };
  await manager.update(GateEntity, where, { state: GateState.GATE_STATE_ABANDONED, decidedAt: new Date() });
}

/** The run's gate in this state, locked until the end of the transaction. */
export async function lockGate(manager: EntityManager, runId: string, state: GateState): Promise<GateEntity | null> {
  return manager.findOne(GateEntity, { where: { runId, state }, lock: { mode: 'pessimistic_write' } });
}

/** Why a candidate that the rule lets through must not be promoted all the same, or undefined. */
export async function obstacleTo(manager: EntityManager, gate: GateEntity, candidate: CheckpointEntity): Promise<string | undefined> {
  const alias = await manager.findOne(AliasEntity, {
    where: { baseModelDigest: gate.baseModelDigest, name: gate.alias },
    lock: { mode: 'pessimistic_write' },
  });
  if ((alias?.checkpointId ?? null) !== gate.championId) {
    return `Kept: ${gate.alias} has moved since the evaluation began, so the candidate was compared with what is no longer the champion.`;
  }
  const champion = gate.championId === null ? null : await manager.findOneBy(CheckpointEntity, { id: gate.championId });
  return champion?.adapterSha256 === candidate.adapterSha256 ? 'Kept: the candidate is the champion, byte for byte.' : undefined;
}

/** Stage 2 where there is one. */
async function lastCheckpoint(manager: EntityManager, runId: string): Promise<CheckpointEntity | null> {
  return manager.findOne(CheckpointEntity, { where: { runId }, order: { name: 'DESC' } });
}

/** Headline metrics in plain mode: against the champion, or against the base model where there is none. */
async function cellsOf(manager: EntityManager, runId: string, subject: string, hasChampion: boolean): Promise<Cell[]> {
  return manager.query<Cell[]>(
    `SELECT benchmark, metric, higher_is_better AS "higherIsBetter", n, value AS candidate, difference, low, high FROM evaluation
     WHERE run_id = $1 AND subject = $2 AND "primary" AND mode = 'plain' AND versus = $3 ORDER BY seq`,
    [runId, subject, hasChampion ? 'champion' : ''],
  );
}

/** What webhooks say about a gate. */
function verdictOf(run: RunEntity, gate: GateEntity): Record<string, unknown> {
  return {
    run_id: run.id,
    run_name: run.name,
    alias: gate.alias,
    base_model_digest: gate.baseModelDigest,
    candidate_id: gate.candidateId,
    champion_id: gate.championId,
    mean_gain: gate.meanGain,
    reasons: gate.reasons,
    decided_by: gate.decidedBy,
  };
}
