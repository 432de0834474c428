import { Recipe, type StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Lineage, LineageEdge, LineageNode } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import type { ArtifactEntity, AttemptEntity, CheckpointEntity, RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { nodeOf } from '../model/graph.js';

/** The rows behind the checkpoints of one run. */
export type History = {
  readonly run: RunEntity;
  readonly inputs: readonly RunInputEntity[];
  readonly stages: readonly StageEntity[];
  readonly attempts: readonly AttemptEntity[];
  /** Those of attempts that have succeeded. */
  readonly artifacts: readonly ArtifactEntity[];
  readonly checkpoints: readonly CheckpointEntity[];
  /** What the run started from, and what that one continued, back to the base model: the chain of iterations. */
  readonly ancestors: readonly Ancestor[];
};

/** A checkpoint of an earlier run, or an imported one. */
export type Ancestor = Pick<CheckpointEntity, 'id' | 'name' | 'adapterSha256' | 'parentId' | 'runId' | 'importedFrom'> & {
  readonly runName: string | null;
};

const text = (value: { toString(): string }): string => value.toString();

/** Everything that was needed to make the checkpoint, back to images, prompt set, seed and base model. */
export function lineageOf(checkpoint: CheckpointEntity, history: History): Lineage {
  const graph = new Graph();
  const recipe = Recipe.fromJSON(history.run.recipe);
  const roots = addRoots(graph, history.run, recipe);
  const made = history.attempts.find((attempt) => attempt.id === checkpoint.attemptId);
  const stage = history.stages.find((one) => one.id === made?.stageId);
  if (stage) addStage(graph, stage, history, roots);
  return graph.lineage();
}

/** What is known of a checkpoint that no run has made: the model it was made for, and where it came from. */
export function importedLineage(checkpoint: CheckpointEntity): Lineage {
  const { id, name, adapterSha256, baseModelPath, baseModelDigest, bytes, importedFrom } = checkpoint;
  const graph = new Graph();
  const modelId = `model:${baseModelDigest}`;
  graph.node({ type: 'model', id: modelId, label: baseModelPath, digest: baseModelDigest, facts: {} });
  graph.node({ type: 'checkpoint', id, label: name, digest: adapterSha256, facts: { bytes, imported_from: importedFrom ?? '' } });
  graph.edge(modelId, id);
  return graph.lineage();
}

/** Nodes every stage of the run depends on. */
function addRoots(graph: Graph, run: RunEntity, recipe: Recipe): string[] {
  const { model, prompts } = recipe;
  const modelId = `model:${model?.digest ?? ''}`;
  graph.node({
    type: 'model',
    id: modelId,
    label: model?.path ?? '',
    digest: model?.digest ?? '',
    facts: { architecture: model?.architecture ?? '', template: model?.templateHash ?? '' },
  });
  const promptsId = `prompts:${prompts?.digest ?? ''}`;
  graph.node({
    type: 'prompts',
    id: promptsId,
    label: `${prompts?.name ?? ''} ${prompts?.version ?? ''}`.trim(),
    digest: prompts?.digest ?? '',
    facts: {},
  });
  const recipeId = `recipe:${run.recipeDigest}`;
  graph.node({
    type: 'recipe',
    id: recipeId,
    label: recipe.preset,
    digest: run.recipeDigest,
    facts: { seed: text(recipe.seed), run: run.name, run_id: run.id, ...(run.forkedFrom === null ? {} : { forked_from: run.forkedFrom }) },
  });
  graph.edge(modelId, recipeId);
  graph.edge(promptsId, recipeId);
  return [recipeId];
}

/** Adds a stage, its sources (stages before it included) and what it made; returns once for each stage. */
function addStage(graph: Graph, stage: StageEntity, history: History, roots: readonly string[]): void {
  const node = nodeOf(stage.kind);
  const attempts = history.attempts.filter((attempt) => attempt.stageId === stage.id);
  const last = attempts.at(-1);
  const facts = {
    state: stage.state.replace('STAGE_STATE_', ''),
    attempts: text(attempts.length),
    device: last?.device ?? '',
    dtype: last?.dtype ?? '',
    trainer: last?.trainer ?? '',
    ...(last?.linkedFrom ? { linked_from_attempt: last.linkedFrom } : {}),
  };
  if (!graph.node({ type: 'stage', id: stage.id, label: node.word, digest: '', facts })) return;
  for (const root of roots) graph.edge(root, stage.id);
  for (const source of node.inputs) {
    if (source.from === 'dataset') addDatasets(graph, stage, source.dataset, history.inputs);
    else if (source.from === 'start') addAncestors(graph, stage, history);
    else if (source.from === 'artifact') addArtifact(graph, stage, source.stage, source.name, history, roots);
  }
  const checkpoint = history.checkpoints.find((one) => attempts.some((attempt) => attempt.id === one.attemptId));
  if (checkpoint) addCheckpoint(graph, stage, checkpoint);
}

function addDatasets(graph: Graph, stage: StageEntity, role: string, inputs: readonly RunInputEntity[]): void {
  for (const input of inputs.filter((one) => one.role === role)) {
    const id = `dataset:${input.versionId}`;
    graph.node({
      type: 'dataset',
      id,
      label: input.datasetName,
      digest: input.digest,
      facts: { role, items: text(input.items), skipped: text(input.skipped), dataset_id: input.datasetId },
    });
    graph.edge(id, stage.id);
  }
}

/** The earlier iterations, each by its checkpoint: its own lineage has the rest. */
function addAncestors(graph: Graph, stage: StageEntity, { ancestors }: History): void {
  const [start] = ancestors;
  if (!start) return;
  for (const { id, name, adapterSha256, runName, runId, importedFrom } of ancestors) {
    const facts: Record<string, string> =
      importedFrom === null ? { run: runName ?? '', run_id: runId ?? '' } : { imported_from: importedFrom };
    graph.node({ type: 'checkpoint', id, label: name, digest: adapterSha256, facts });
  }
  for (const { id, parentId } of ancestors) if (ancestors.some((one) => one.id === parentId)) graph.edge(parentId ?? '', id);
  graph.edge(start.id, stage.id);
}

function addArtifact(graph: Graph, to: StageEntity, kind: StageKind, name: string, history: History, roots: readonly string[]): void {
  const from = history.stages.find((stage) => stage.kind === kind);
  if (!from) return;
  addStage(graph, from, history, roots);
  const checkpoint = name === 'adapter' ? history.checkpoints.find((one) => one.name === nodeOf(kind).checkpoint) : undefined;
  if (checkpoint) {
    graph.edge(checkpoint.id, to.id);
    return;
  }
  const maker = history.attempts.findLast((attempt) => attempt.stageId === from.id && succeeded(attempt));
  const artifact = history.artifacts.find((one) => one.attemptId === maker?.id && one.name === name);
  if (!artifact) return;
  const id = `artifact:${artifact.sha256}`;
  graph.node({ type: 'artifact', id, label: name, digest: artifact.sha256, facts: { items: text(artifact.items), bytes: artifact.bytes } });
  graph.edge(from.id, id);
  graph.edge(id, to.id);
}

function addCheckpoint(graph: Graph, stage: StageEntity, checkpoint: CheckpointEntity): void {
  const facts = { bytes: checkpoint.bytes, base_model_digest: checkpoint.baseModelDigest };
  graph.node({ type: 'checkpoint', id: checkpoint.id, label: checkpoint.name, digest: checkpoint.adapterSha256, facts });
  graph.edge(stage.id, checkpoint.id);
}

/** Nodes and edges, each once. */
class Graph {
  private readonly nodes = new Map<string, LineageNode>();
  private readonly edges = new Map<string, LineageEdge>();

  /** False when the node is there already. */
  node(node: LineageNode): boolean {
    if (this.nodes.has(node.id)) return false;
    this.nodes.set(node.id, node);
    return true;
  }

  edge(from: string, to: string): void {
    this.edges.set(`${from} ${to}`, { from, to });
  }

  lineage(): Lineage {
    return { nodes: [...this.nodes.values()], edges: [...this.edges.values()] };
  }
}

/** The attempt that succeeded is the one whose artifacts count. */
export const succeeded = (attempt: AttemptEntity): boolean => attempt.state === JobState.JOB_STATE_SUCCEEDED;
