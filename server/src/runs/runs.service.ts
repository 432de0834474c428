import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { ModelSpec } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { RunView } from '@stic/api/gen/stic/runs/v1/runs.js';
import type {
  CreateRunRequest,
  ListPresetsResponse,
  ListRunsRequest,
  ListRunsResponse,
  Preflight,
  Run,
  WatchRunRequest,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { audit } from '../audit/index.js';
import { DatasetsService } from '../datasets/index.js';
import { RunEntity, RunInputEntity, StageEntity } from '../model/index.js';
import { needs, plan } from '../model/graph.js';
import { goOn, PRESETS } from '../pipeline/index.js';
import { resolveStart, startWarnings } from '../registry/index.js';
import { recipeDigest, wholeJson } from '../recipe/fields.js';
import type { Presets } from '../recipe/presets.js';
import { pipelineTopic, runTopic } from '../model/topics.js';
import { DomainError } from '../platform/errors.js';
import { checkedName, refuseNul } from '../platform/text.js';
import { paginate } from '../platform/filter/index.js';
import { doneBefore, once, resultOf } from '../platform/database/idempotency.js';
import { Changes } from '../platform/database/watch.js';
import { TrainerPool } from '../trainers/index.js';
import { checkedRecipe, checkGate, freeze, resolveInputs, warningsOf } from './freeze.js';
import { isTerminal } from '../model/states.js';
import { originOf } from './fork.js';
import { runList } from './run.list.js';
import { checkedPlace } from './placement.js';
import { preflightWarnings, Preflights, refuseObstacle } from './preflight.js';
import { noRun, RunReader } from './run.reader.js';

type NewRun = {
  readonly run: RunEntity;
  readonly inputs: RunInputEntity[];
  readonly stages: StageEntity[];
  readonly preflight: Preflight;
};

/** stic.runs.v1.RunService, as far as it is about runs themselves; what runs have made is in RunRecords. */
@Injectable()
export class RunsService {
  constructor(
    private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly trainers: TrainerPool,
    private readonly datasets: DatasetsService,
    private readonly reader: RunReader,
    private readonly preflights: Preflights,
    @Inject(PRESETS) private readonly presets: Presets,
  ) {}

  listPresets(): Promise<ListPresetsResponse> {
    return Promise.resolve({ presets: [...this.presets.values()] });
  }

  async create(request: CreateRunRequest): Promise<Run> {
    const keyed = { method: 'CreateRun', request };
    const earlier = request.validateOnly ? undefined : await doneBefore(this.db.manager, keyed);
    if (earlier !== undefined) return this.get({ runId: earlier });
    const made = await this.prepare(request);
    if (request.validateOnly) return { ...(await this.preview(made)), preflight: made.preflight };
    refuseObstacle(made.preflight.obstacles);
    const runId = await once(this.db, keyed, async (manager) => {
      await insert(manager, made);
      const { id, name, recipeDigest: recipe_digest } = made.run;
      await audit(manager, { verb: 'create', subject: { type: 'run', id, name }, details: { recipe_digest } });
      await this.changes.notify(manager, pipelineTopic);
      await this.changes.notify(manager, runTopic(id));
      return id;
    });
    return this.get({ runId });
  }

  /** The run that a request with this id has made. */
  async madeBy(requestId: string): Promise<Run | undefined> {
    const runId = await resultOf(this.db.manager, requestId);
    return runId === undefined ? undefined : this.get({ runId });
  }

  get({ runId, view }: { runId: string; view?: RunView }): Promise<Run> {
    return this.reader.get(runId, view === RunView.RUN_VIEW_BASIC ? view : RunView.RUN_VIEW_FULL);
  }

  async list(request: ListRunsRequest): Promise<ListRunsResponse> {
    const view = request.view === RunView.RUN_VIEW_FULL ? request.view : RunView.RUN_VIEW_BASIC;
    let nextPageToken = '';
    const runs = await this.reader.consistently(async (manager, columns) => {
      const query = manager.createQueryBuilder(RunEntity, 'run');
      if (columns) query.select(columns.map((column) => `run.${column}`));
      if (request.state !== RunState.RUN_STATE_UNSPECIFIED) query.andWhere('run.state = :state', { state: request.state });
      const found = await paginate(query, runList, request);
      nextPageToken = found.nextPageToken;
      return found.page;
    }, view);
    return { runs, nextPageToken };
  }

  watch(request: WatchRunRequest, signal: AbortSignal): AsyncIterable<Run> {
    return this.changes.watch(runTopic(request.runId), () => this.reader.get(request.runId), {
      until: (run) => isTerminal(run.state),
      signal,
      intervalMs: 250,
    });
  }

  /** Everything a run will be, checked against datasets and trainer, before anything is written. */
  private async prepare(request: CreateRunRequest): Promise<NewRun> {
    refuseNul(request);
    const name = checkedName('name', request.name, { optional: true });
    const origin = await originOf(this.db.manager, request);
    const { recipe: checked, prompts, model } = checkedRecipe(origin.recipe);
    const place = checkedPlace(request.priority, request.requires ?? origin.requires);
    const inputs = await resolveInputs(origin.inputs, ({ datasetId, versionId }) => this.datasets.readyVersion(datasetId, versionId));
    checkGate(checked, inputs);
    const { model: seen, warnings } = await this.inspect(model.path);
    const recipe = freeze(await resolveStart(this.db.manager, checked, seen), prompts, seen);
    const preflight = await this.preflights.of(recipe, inputs, { measured: request.validateOnly });
    const id = randomUUID();
    const createdAt = new Date();
    const run = this.db.manager.create(RunEntity, {
      id,
      name: name || origin.name || `${recipe.preset || 'run'} ${createdAt.toISOString().slice(0, 16).replace('T', ' ')}`,
      state: RunState.RUN_STATE_QUEUED,
      recipe: wholeJson(recipe) as object,
      recipeDigest: recipeDigest(recipe),
      ...place,
      reuseStages: request.reuseStages ?? true,
      forkedFrom: origin.runId,
      forkChanges: origin.changes(recipe),
      warnings: [...warningsOf(recipe, inputs), ...warnings, ...startWarnings(recipe), ...preflightWarnings(preflight)],
      error: null,
      cancelRequestedAt: null,
      pauseRequestedAt: null,
      createdAt,
      startedAt: null,
      endedAt: null,
    });
    return {
      run,
      preflight,
      inputs: inputs.map((input, position) => this.db.manager.create(RunInputEntity, { ...input, runId: id, position })),
      stages: this.stagesOf(
        id,
        inputs.map((input) => input.role),
      ),
    };
  }

  private stagesOf(runId: string, roles: readonly string[]): StageEntity[] {
    const planned = plan(roles);
    return planned.map((node, position) => {
      return this.db.manager.create(StageEntity, {
        id: randomUUID(),
        runId,
        position,
        kind: node.kind,
        state: StageState.STAGE_STATE_PENDING,
        after: needs(node, planned),
        progress: null,
        error: null,
        startedAt: null,
        endedAt: null,
      });
    });
  }

  /** Digest, architecture and template of the model as the trainer sees it; an unusable one is refused with the trainer's reason. */
  private async inspect(path: string): Promise<{ model: ModelSpec; warnings: string[] }> {
    try {
      const { model, warnings } = await this.trainers.inspectModel(path);
      if (model && model.digest !== '') return { model: { ...model, path }, warnings };
    } catch (error) {
      if (!(error instanceof DomainError) || !['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'].includes(error.code)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new DomainError(error.code, error.message, {
        field: error.code === 'FAILED_PRECONDITION' ? (error.field ?? 'recipe.model.path') : 'model.path',
        ...hint,
        cause: error,
      });
    }
    throw new DomainError('INTERNAL', `The trainer returned no information about the model ${path}.`, { field: 'model.path' });
  }

  /** The run as it would be: made in a transaction that is given up. */
  private async preview(made: NewRun): Promise<Run> {
    const runner = this.db.createQueryRunner();
    await runner.startTransaction();
    try {
      await insert(runner.manager, made);
      const [run] = await this.reader.read([made.run], runner.manager);
      if (!run) throw noRun(made.run.id);
      return run;
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }
}

async function insert(manager: EntityManager, { run, inputs, stages }: NewRun): Promise<void> {
  await manager.insert(RunEntity, run);
  await manager.insert(RunInputEntity, inputs);
  await manager.insert(StageEntity, stages);
  await goOn(manager, run.id);
}
