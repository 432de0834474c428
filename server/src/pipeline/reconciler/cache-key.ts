import type { EntityManager } from 'typeorm';
import type { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { JobInput } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import type { RunEntity } from '../../model/index.js';
import { graph, type Node, nodeOf } from '../../model/graph.js';
import { digestOf } from '../../recipe/canonical.js';
import type { Json } from '../../recipe/canonical.js';
import { wholeJson } from '../../recipe/fields.js';
import { inputsOf } from './job-request.js';

type Fields = { readonly [key: string]: Json };

/** Fields that say what the recipe is called, how faults are met and what becomes of the result, and what is among the inputs. */
const without = new Set(['preset', 'retry', 'gate', 'start_from', 'model', 'prompts']);

/** The key of a run's stage; its inputs must be there. */
export async function keyOf(manager: EntityManager, run: RunEntity, kind: StageKind): Promise<string> {
  return stageKey(nodeOf(kind), run.recipe as Fields, await inputsOf(manager, run.id, kind));
}

/**
 * Digest of all that the result of a stage depends on: kind and revision, seed, model, template, prompt texts, its configuration and its inputs.
 * The configurations of stages it does not read are left out; a recipe field that nobody here knows of counts.
 */
export function stageKey(node: Node, recipe: Fields, inputs: readonly JobInput[]): string {
  const { kind, revision, word, reads } = node;
  const foreign = new Set(graph.map((node) => node.word).filter((name) => name !== word && !reads.includes(name)));
  const own = Object.entries(recipe).filter(([name]) => !without.has(name) && !foreign.has(name));
  const { digest, architecture, template_hash } = fields(recipe['model']);
  return digestOf({
    kind,
    revision,
    recipe: Object.fromEntries(own),
    model: { digest: digest ?? null, architecture: architecture ?? null, template_hash: template_hash ?? null },
    prompts: fields(recipe['prompts'])['digest'] ?? null,
    inputs: wholeJson(inputs),
  });
}

function fields(value: Json | undefined): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
