import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';

/** Roles a dataset version can have in a run. */
export const inputRoles = ['images', 'instructions', 'benchmark', 'preferences'] as const;
export type InputRole = (typeof inputRoles)[number];

export type CheckpointName = 'stage1' | 'stage2';

/** Where a stage's input comes from: a dataset of the run, what an earlier stage has made, or what an alias points at. */
export type Source =
  /** `role` is the stage's word for it, `dataset` the run's. */
  | { readonly from: 'dataset'; readonly role: string; readonly dataset: InputRole }
  | { readonly from: 'artifact'; readonly role: string; readonly stage: StageKind; readonly name: string; readonly kind: ArtifactKind }
  /** The adapter the run starts from; none when it starts from the base model. */
  | { readonly from: 'start'; readonly role: 'start' }
  /** The adapter of the champion the run's gate compares with; none without a gate, or without a champion. */
  | { readonly from: 'champion'; readonly role: 'champion' };

/** A node of the recipe's graph, as data. */
export type Node = {
  readonly kind: StageKind;
  /** The word for it in files, logs and pages. */
  readonly word: string;
  /** Raised when the trainer comes to make something else of the same inputs: what older code made is then not linked any more. */
  readonly revision: number;
  /** The dataset without which the stage is not part of a run. */
  readonly onlyWith?: InputRole;
  /** The dataset that holds what the stage would make: a run that has it goes without the stage. */
  readonly replacedBy?: InputRole;
  /** Configurations of other stages that it reads beside its own. */
  readonly reads: readonly string[];
  /** In order; sources of stages that the run does not have are left out. */
  readonly inputs: readonly Source[];
  /** The checkpoint its `adapter` artifact becomes. */
  readonly checkpoint?: CheckpointName;
  /** Typical share of a whole run's time, for the estimate before a stage has shown its own rate. */
  readonly share: number;
};

const { STAGE_KIND_PREFER, STAGE_KIND_DPO, STAGE_KIND_DESCRIBE, STAGE_KIND_INFUSE, STAGE_KIND_SFT, STAGE_KIND_EVALUATE } = StageKind;
const { ARTIFACT_KIND_BLOB, ARTIFACT_KIND_TREE } = ArtifactKind;

const blob = (name: string, stage: StageKind): Source => ({ from: 'artifact', role: name, stage, name, kind: ARTIFACT_KIND_BLOB });
const adapter = (role: string, stage: StageKind): Source => ({ from: 'artifact', role, stage, name: 'adapter', kind: ARTIFACT_KIND_TREE });
const dataset = (name: InputRole, role: string = name): Source => ({ from: 'dataset', role, dataset: name });
const start: Source = { from: 'start', role: 'start' };
const champion: Source = { from: 'champion', role: 'champion' };

/** The six stages in order. A stage runs after every stage it reads from. */
export const graph: readonly Node[] = [
  {
    kind: STAGE_KIND_PREFER,
    word: 'prefer',
    revision: 1,
    replacedBy: 'preferences',
    share: 0.2,
    reads: [],
    inputs: [dataset('images'), start],
  },
  {
    kind: STAGE_KIND_DPO,
    word: 'dpo',
    revision: 1,
    share: 0.2,
    checkpoint: 'stage1',
    reads: [],
    inputs: [dataset('preferences', 'pairs'), blob('pairs', STAGE_KIND_PREFER), start],
  },
  {
    kind: STAGE_KIND_DESCRIBE,
    word: 'describe',
    revision: 1,
    onlyWith: 'instructions',
    share: 0.1,
    reads: [],
    inputs: [dataset('instructions'), adapter('adapter', STAGE_KIND_DPO)],
  },
  {
    kind: STAGE_KIND_INFUSE,
    word: 'infuse',
    revision: 1,
    onlyWith: 'instructions',
    share: 0.02,
    reads: ['describe'],
    inputs: [dataset('instructions'), blob('descriptions', STAGE_KIND_DESCRIBE)],
  },
  {
    kind: STAGE_KIND_SFT,
    word: 'sft',
    revision: 1,
    onlyWith: 'instructions',
    share: 0.13,
    checkpoint: 'stage2',
    reads: [],
    inputs: [blob('infused', STAGE_KIND_INFUSE), adapter('adapter', STAGE_KIND_DPO)],
  },
  {
    kind: STAGE_KIND_EVALUATE,
    word: 'evaluate',
    revision: 1,
    share: 0.35,
    reads: ['infuse'],
    inputs: [dataset('benchmark'), dataset('images'), adapter('stage1', STAGE_KIND_DPO), adapter('stage2', STAGE_KIND_SFT), champion],
  },
];

/** The nodes of a run with these input roles, in order. */
export function plan(roles: Iterable<string>): readonly Node[] {
  const given = new Set(roles);
  return graph.filter(({ onlyWith, replacedBy }) => {
    return (onlyWith === undefined || given.has(onlyWith)) && (replacedBy === undefined || !given.has(replacedBy));
  });
}

/** The node of a kind. */
export function nodeOf(kind: StageKind): Node {
  const node = graph.find((one) => one.kind === kind);
  if (!node) throw new Error(`${kind} is not a stage of the graph.`);
  return node;
}

/** Kinds that must have succeeded before this one can start, among the stages of the run. */
export function needs(node: Node, planned: readonly Node[]): StageKind[] {
  const present = new Set(planned.map((one) => one.kind));
  const read = node.inputs.flatMap((source) => (source.from === 'artifact' && present.has(source.stage) ? [source.stage] : []));
  return [...new Set(read)];
}
