import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Attempt, FieldDifference, Fork, Link, Run, RunInput, RunSchedule, Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobError, Progress } from '@stic/api/gen/stic/common/v1/common.js';
import type { Artifact } from '@stic/api/gen/stic/common/v1/common.js';
import type { ArtifactEntity, AttemptEntity, RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { isTerminal } from '../model/states.js';
import { secondsLeft } from './estimate.js';

/** The rows a run is made of, beside its own. */
export type RunParts = {
  readonly inputs: readonly RunInputEntity[];
  readonly stages: readonly StageEntity[];
  /** By stage. */
  readonly attempts: ReadonlyMap<string, readonly AttemptEntity[]>;
  /** By stage. */
  readonly artifacts: ReadonlyMap<string, readonly ArtifactEntity[]>;
  /** Items left out by stages; those refused at import stand with the inputs. */
  readonly skipped: number;
  /** 1 for the next; 0 when not queued. */
  readonly queuePosition: number;
  /** See Run.waiting. */
  readonly waiting: string;
  /** See Run.outcome. */
  readonly outcome: string;
  /** Names of the runs that this one was forked from or linked to; absent for those that are gone. */
  readonly names: ReadonlyMap<string, string>;
  /** The schedules that made runs, by run. */
  readonly schedules: ReadonlyMap<string, RunSchedule>;
  /** By id: the attempts that stages of this run were linked to. */
  readonly linked: ReadonlyMap<string, LinkedAttempt>;
};

/** Where a linked attempt's results come from. */
export type LinkedAttempt = { readonly id: string; readonly stageId: string; readonly runId: string };

export function toRun(row: RunEntity, parts: RunParts, differences: (recipe: Recipe) => FieldDifference[], now: Date): Run {
  const recipe = Recipe.fromJSON(row.recipe);
  const stages = parts.stages.map((stage) => toStage(stage, parts));
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    recipe,
    recipeDigest: row.recipeDigest,
    differences: differences(recipe),
    inputs: parts.inputs.map(toInput),
    stages,
    createdAt: row.createdAt,
    startedAt: row.startedAt ?? undefined,
    endedAt: row.endedAt ?? undefined,
    error: toError(row.error),
    skipped: parts.skipped + parts.inputs.reduce((sum, input) => sum + input.skipped, 0),
    etaSeconds: isTerminal(row.state) ? 0 : secondsLeft(stages, now),
    queuePosition: parts.queuePosition,
    warnings: row.warnings,
    priority: row.priority,
    requires: row.requires ?? undefined,
    reuseStages: row.reuseStages,
    waiting: parts.waiting,
    outcome: parts.outcome,
    fork: row.forkedFrom === null ? undefined : toFork(row.forkedFrom, row, parts),
    schedule: parts.schedules.get(row.id),
    preset: recipe.preset,
    modelPath: recipe.model?.path ?? '',
    preflight: undefined,
  };
}

function toFork(runId: string, row: RunEntity, { names }: RunParts): Fork {
  return { runId, runName: names.get(runId) ?? '', changes: row.forkChanges };
}

export function toInput(row: RunInputEntity): RunInput {
  const { role, datasetId, datasetName, versionId, digest, items, skipped } = row;
  return { role, datasetId, datasetName, versionId, digest, items, skipped };
}

function toStage(row: StageEntity, parts: RunParts): Stage {
  const attempts = parts.attempts.get(row.id) ?? [];
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    progress: row.progress ? Progress.fromJSON(row.progress) : undefined,
    attempts: attempts.map(toAttempt),
    artifacts: newest(parts.artifacts.get(row.id) ?? [], attempts).map(toArtifact),
    startedAt: row.startedAt ?? undefined,
    endedAt: row.endedAt ?? undefined,
    error: toError(row.error),
    after: row.after,
    linkedFrom: toLink(attempts.at(-1), parts),
  };
}

function toLink(attempt: AttemptEntity | undefined, { linked, names }: RunParts): Link | undefined {
  const source = linked.get(attempt?.linkedFrom ?? '');
  return source && { runId: source.runId, runName: names.get(source.runId) ?? '', stageId: source.stageId, attemptId: source.id };
}

/** An artifact made again by a later attempt stands for the earlier one. */
function newest(artifacts: readonly ArtifactEntity[], attempts: readonly AttemptEntity[]): ArtifactEntity[] {
  const number = new Map(attempts.map((attempt) => [attempt.id, attempt.number]));
  const order = (one: ArtifactEntity): number => number.get(one.attemptId) ?? 0;
  const sorted = [...artifacts].sort((a, b) => order(a) - order(b) || Number(a.seq) - Number(b.seq));
  return [...new Map(sorted.map((artifact) => [artifact.name, artifact])).values()];
}

function toAttempt(row: AttemptEntity): Attempt {
  return {
    id: row.id,
    number: row.number,
    state: row.state,
    trainer: row.trainer,
    device: row.device,
    dtype: row.dtype,
    resumedFromStep: row.resumedFromStep,
    startedAt: row.startedAt,
    endedAt: row.endedAt ?? undefined,
    error: toError(row.error),
    facts: row.facts,
  };
}

function toArtifact(row: ArtifactEntity): Artifact {
  const { name, kind, sha256, mediaType, items, metadata } = row;
  return { name, kind, sha256, bytes: BigInt(row.bytes), mediaType, items, metadata };
}

function toError(error: object | null): JobError | undefined {
  return error ? JobError.fromJSON(error) : undefined;
}
