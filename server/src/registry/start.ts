import type { EntityManager } from 'typeorm';
import { LoraConfig, type ModelSpec, Recipe, type StartFrom, StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { CheckpointEntity, RunEntity } from '../model/index.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { AliasEntity } from './alias.entity.js';
import { defaultAlias } from './gate.js';

/**
 * The recipe with its alias names and its start filled in: the checkpoint it names, or what the alias points at now. A line without a
 * champion starts from the base model. INVALID_ARGUMENT when the recipe's adapter has another shape than the start's.
 */
export async function resolveStart(manager: EntityManager, recipe: Recipe, model: ModelSpec): Promise<Recipe> {
  const gate = recipe.gate && { ...recipe.gate, alias: recipe.gate.alias || defaultAlias };
  const { startFrom } = recipe;
  if (startFrom?.point === StartPoint.START_POINT_CHECKPOINT) {
    const { id, adapterSha256 } = await startNamed(manager, recipe, model, startFrom.checkpointId);
    return { ...recipe, gate, startFrom: { ...startFrom, alias: '', checkpointId: id, adapterSha256 } };
  }
  if (startFrom?.point !== StartPoint.START_POINT_ALIAS) return { ...recipe, gate, startFrom: startFrom && fromBase() };
  const name = startFrom.alias || defaultAlias;
  const alias = await manager.findOneBy(AliasEntity, { baseModelDigest: model.digest, name });
  const checkpoint = alias?.checkpointId ? await manager.findOneByOrFail(CheckpointEntity, { id: alias.checkpointId }) : null;
  if (checkpoint) await checkShape(manager, recipe, checkpoint, name);
  return {
    ...recipe,
    gate,
    startFrom: { ...startFrom, alias: name, checkpointId: checkpoint?.id ?? '', adapterSha256: checkpoint?.adapterSha256 ?? '' },
  };
}

/** What a person should know about the start before the run begins. */
export function startWarnings(recipe: Recipe): string[] {
  const { startFrom } = recipe;
  if (startFrom?.point !== StartPoint.START_POINT_ALIAS || startFrom.checkpointId !== '') return [];
  return [`This base model has no ${startFrom.alias} yet: the run starts from the base model.`];
}

const fromBase = (): StartFrom => ({ point: StartPoint.START_POINT_BASE, alias: '', checkpointId: '', adapterSha256: '' });

/** The checkpoint a recipe starts from by its id: there, and of the same base model. */
async function startNamed(manager: EntityManager, recipe: Recipe, model: ModelSpec, id: string): Promise<CheckpointEntity> {
  const field = 'start_from.checkpoint_id';
  checkId(field, id);
  const checkpoint = await manager.findOneBy(CheckpointEntity, { id });
  if (!checkpoint) throw notFound(`There is no checkpoint ${id}.`, field);
  if (checkpoint.deletedAt !== null) {
    throw new DomainError('FAILED_PRECONDITION', `The files of checkpoint ${id} have been deleted.`, { field });
  }
  if (checkpoint.baseModelDigest !== model.digest) {
    throw invalid(field, `The checkpoint is an adapter of ${checkpoint.baseModelPath}, not of ${model.path}.`, 'Use its base model.');
  }
  await checkShape(manager, recipe, checkpoint, 'checkpoint');
  return checkpoint;
}

/** The adapter goes on being trained, so it keeps its shape. */
async function checkShape(manager: EntityManager, recipe: Recipe, checkpoint: CheckpointEntity, what: string): Promise<void> {
  const maker = checkpoint.runId === null ? null : await manager.findOneByOrFail(RunEntity, { id: checkpoint.runId });
  const theirs = shapeOf(maker ? Recipe.fromJSON(maker.recipe).dpo?.lora : LoraConfig.fromJSON(checkpoint.lora));
  const ours = shapeOf(recipe.dpo?.lora);
  for (const [field, value] of Object.entries(theirs)) {
    if (ours[field] === value) continue;
    throw invalid(
      `dpo.lora.${field}`,
      `The ${what} (${maker ? `run ${maker.name}` : checkpoint.name}) has an adapter with ${field} ${value}; this recipe says ${ours[field] ?? ''}.`,
      'A run that starts from an adapter trains it on: take over its shape, or start from the base model.',
    );
  }
}

function shapeOf(lora: LoraConfig | undefined): Record<string, string> {
  return {
    rank: String(lora?.rank),
    alpha: String(lora?.alpha),
    dropout: String(lora?.dropout),
    target_modules: [...(lora?.targetModules ?? [])].sort().join(', '),
  };
}
