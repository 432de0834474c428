import { type EntityManager, In } from 'typeorm';
import { toScore } from '../evaluations/index.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { BenchmarkVerdict } from '@stic/api/gen/stic/registry/v1/registry.js';
import { JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { CheckpointEntity, EvaluationEntity, type RunEntity, StageEntity } from '../model/index.js';
import { GateEntity, type GateView } from '../registry/index.js';
import { outcomeOf } from './outcome.js';

/** What came of each run that has ended, by its id: a fixed number of queries however many runs. */
export async function readOutcomes(manager: EntityManager, runs: readonly RunEntity[]): Promise<ReadonlyMap<string, string>> {
  const ended = runs.filter((run) => run.endedAt !== null);
  if (ended.length === 0) return new Map();
  const runId = In(ended.map((run) => run.id));
  const stages = await manager.find(StageEntity, { where: { runId }, order: { position: 'ASC' } });
  const gates = await manager.findBy(GateEntity, { runId });
  const candidates = await manager.findBy(CheckpointEntity, { id: In(gates.flatMap((gate) => gate.candidateId ?? [])) });
  const scores = await manager.find(EvaluationEntity, { where: { runId, primary: true, versus: '' }, order: { seq: 'ASC' } });
  return new Map(
    ended.map((run) => {
      const gate = gates.find((one) => one.runId === run.id);
      const outcome = outcomeOf({
        state: run.state,
        error: run.error ? JobError.fromJSON(run.error) : undefined,
        stages: stages.filter((stage) => stage.runId === run.id),
        gate: gate && toView(gate, run, candidates),
        scores: scores.filter((score) => score.runId === run.id).map(toScore),
      });
      return [run.id, outcome];
    }),
  );
}

function toView(gate: GateEntity, run: RunEntity, candidates: readonly CheckpointEntity[]): GateView | undefined {
  const { gate: config } = Recipe.fromJSON(run.recipe);
  const candidate = candidates.find(({ id }) => id === gate.candidateId);
  if (!config || !candidate) return undefined;
  const { state, alias, championId, championRunName, meanGain, reasons, comment } = gate;
  const benchmarks = gate.benchmarks.map((one) => BenchmarkVerdict.fromPartial(one));
  const told = { state, alias, championId, championRunName, meanGain, reasons, comment, benchmarks };
  return { ...told, config, candidate: `${candidate.name} of ${run.name}` };
}
