import { type EntityManager, In } from 'typeorm';
import { BenchmarkVerdict } from '@stic/api/gen/stic/registry/v1/registry.js';
import { JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { CheckpointEntity, type RunEntity } from '../model/index.js';
import { GateConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, type Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { type EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import { groupBy } from '../platform/group-by.js';
import { GateEntity, type GateView } from '../registry/index.js';
import { outcomeOf } from './outcome.js';

/** What is known of a run whose outcome is asked for. */
export type OutcomeRun = Pick<RunEntity, 'id' | 'name' | 'state' | 'error' | 'endedAt'>;

type StageRow = Pick<Stage, 'kind' | 'state'> & { readonly runId: string };

/** What came of each run that has ended, by its id: a fixed number of queries however many runs. `known` are the runs' stages, if read. */
export async function readOutcomes(
  manager: EntityManager,
  runs: readonly OutcomeRun[],
  known?: readonly StageRow[],
): Promise<ReadonlyMap<string, string>> {
  const ended = runs.filter((run) => run.endedAt !== null);
  if (ended.length === 0) return new Map();
  const stages = groupBy(known ?? (await readStages(manager, ended)), (stage) => stage.runId);
  const gates = await readGates(manager, ended);
  const ungated = ended.filter((run) => run.state === RunState.RUN_STATE_SUCCEEDED && !gates.has(run.id));
  const scores = await readScores(manager, ungated);
  return new Map(
    ended.map((run) => {
      const outcome = outcomeOf({
        state: run.state,
        error: run.error ? JobError.fromJSON(run.error) : undefined,
        stages: stages.get(run.id) ?? [],
        gate: gates.get(run.id),
        scores: scores.get(run.id) ?? [],
      });
      return [run.id, outcome];
    }),
  );
}

const idsOf = (runs: readonly OutcomeRun[]): string[] => runs.map((run) => run.id);

function readStages(manager: EntityManager, runs: readonly OutcomeRun[]): Promise<StageRow[]> {
  return manager.query<StageRow[]>(`SELECT run_id AS "runId", kind, state FROM stage WHERE run_id = ANY($1) ORDER BY position`, [
    idsOf(runs),
  ]);
}

async function readGates(manager: EntityManager, runs: readonly OutcomeRun[]): Promise<ReadonlyMap<string, GateView>> {
  const gates = await manager.findBy(GateEntity, { runId: In(idsOf(runs)) });
  if (gates.length === 0) return new Map();
  const configs = await manager.query<{ id: string; gate: object | null }[]>(
    `SELECT id, recipe->'gate' AS gate FROM run WHERE id = ANY($1)`,
    [gates.map((gate) => gate.runId)],
  );
  const candidates = await manager.findBy(CheckpointEntity, { id: In(gates.flatMap((gate) => gate.candidateId ?? [])) });
  const byRun = new Map(runs.map((run) => [run.id, run]));
  const configOf = new Map(configs.map(({ id, gate }) => [id, gate]));
  const candidateOf = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  return new Map(
    gates.flatMap((gate): [string, GateView][] => {
      const view = toView(gate, byRun.get(gate.runId), configOf.get(gate.runId) ?? null, candidateOf.get(gate.candidateId ?? ''));
      return view ? [[gate.runId, view]] : [];
    }),
  );
}

/** The headline figures. */
async function readScores(manager: EntityManager, runs: readonly OutcomeRun[]): Promise<ReadonlyMap<string, EvaluationScore[]>> {
  if (runs.length === 0) return new Map();
  const rows = await manager.query<(EvaluationScore & { runId: string })[]>(
    `SELECT run_id AS "runId", benchmark, metric, "primary", higher_is_better AS "higherIsBetter", subject, mode, n, value, difference,
       low, high, majority, versus
     FROM evaluation WHERE run_id = ANY($1) AND "primary" AND versus = '' ORDER BY seq`,
    [idsOf(runs)],
  );
  return groupBy(rows, (row) => row.runId);
}

function toView(
  gate: GateEntity,
  run: OutcomeRun | undefined,
  json: object | null,
  candidate: CheckpointEntity | undefined,
): GateView | undefined {
  if (!run || !json || !candidate) return undefined;
  const { state, alias, championId, championRunName, meanGain, reasons, comment } = gate;
  const benchmarks = gate.benchmarks.map((one) => BenchmarkVerdict.fromPartial(one));
  const told = { state, alias, championId, championRunName, meanGain, reasons, comment, benchmarks };
  return { ...told, config: GateConfig.fromJSON(json), candidate: `${candidate.name} of ${run.name}` };
}
