import type { EntityManager } from 'typeorm';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { CreateRunRequest, FieldChange, Requirements, RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import { RunEntity, RunInputEntity } from '../model/index.js';
import { withChanges } from '../recipe/changes.js';
import { changesBetween } from '../recipe/differences.js';
import { notFound } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { toInput } from './run.messages.js';

/** What a new run starts from: the request, completed by the run it forks. */
export type Origin = {
  /** Null for a run of its own. */
  readonly runId: string | null;
  readonly name: string;
  readonly recipe: Recipe | undefined;
  /** With the other run's versions, not the latest ones: a fork differs in what was changed and in nothing else. */
  readonly inputs: readonly RunInput[];
  readonly requires: Requirements | undefined;
  readonly changes: (recipe: Recipe) => FieldChange[];
};

export async function originOf(manager: EntityManager, request: CreateRunRequest): Promise<Origin> {
  const other = request.forkedFrom === '' ? undefined : await runNamed(manager, request.forkedFrom);
  const theirs = other && Recipe.fromJSON(other.recipe);
  const recipe = request.recipe ?? theirs;
  return {
    runId: other?.id ?? null,
    name: other ? `fork of ${other.name}`.slice(0, 200) : '',
    recipe: recipe && withChanges(recipe, request.changes),
    inputs: other && request.inputs.length === 0 ? await inputsOf(manager, other.id) : request.inputs,
    requires: other?.requires ?? undefined,
    changes: (made) => (theirs ? changesBetween(theirs, made) : []),
  };
}

async function runNamed(manager: EntityManager, id: string): Promise<RunEntity> {
  checkId('forked_from', id);
  const run = await manager.findOneBy(RunEntity, { id });
  if (!run) throw notFound(`There is no run ${id} to fork.`, 'forked_from');
  return run;
}

async function inputsOf(manager: EntityManager, runId: string): Promise<RunInput[]> {
  const rows = await manager.find(RunInputEntity, { where: { runId }, order: { position: 'ASC' } });
  return rows.map(toInput);
}
