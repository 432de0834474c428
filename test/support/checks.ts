import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Run, RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Recipe, StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import type { Product, Server } from './product.js';
import { ensure } from './expect.js';

/** The run ended as an undisturbed one ends, and everything it reported is stored exactly once. */
export async function assertWhole(product: Product, run: Run): Promise<void> {
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  for (const stage of run.stages) expect(stage.state, stage.kind).toBe(StageState.STAGE_STATE_SUCCEEDED);
  const gaps = await product.query<{ id: string }>(
    `SELECT attempt.id FROM attempt JOIN stage ON stage.id = attempt.stage_id
     WHERE stage.run_id = $1 AND attempt.ended_at IS NULL`,
    [run.id],
  );
  expect(gaps, 'no attempt is left open').toStrictEqual([]);
  const steps = await product.query<{ name: string; attempt_id: string; step: number; count: string }>(
    'SELECT name, attempt_id, step, count(*) FROM metric_point WHERE run_id = $1 GROUP BY 1, 2, 3 HAVING count(*) > 1',
    [run.id],
  );
  expect(steps, 'no point is stored twice').toStrictEqual([]);
  const artifacts = await product.query<{ name: string; count: string }>(
    `SELECT artifact.name, artifact.stage_id, count(*) FROM artifact JOIN attempt ON attempt.id = attempt_id
     WHERE run_id = $1 AND attempt.state = 'JOB_STATE_SUCCEEDED' GROUP BY 1, 2 HAVING count(*) > 1`,
    [run.id],
  );
  expect(artifacts, 'no artifact is stored twice').toStrictEqual([]);
  const checkpoints = await product.query<{ name: string }>('SELECT name FROM checkpoint WHERE run_id = $1', [run.id]);
  expect(checkpoints.map((checkpoint) => checkpoint.name)).toStrictEqual(['stage1']);
}

/** What asks for a run that is to be disturbed, and what an undisturbed one has made of it. */
export type Rehearsed = {
  readonly request: object;
  /** The run is whole and has made the same, byte for byte. */
  readonly assertSame: (run: Run) => Promise<void>;
};

/** Runs prefer and dpo on pictures of the embedded world once, with nothing in their way, unless another test file has done so. */
export async function rehearse(
  product: Product,
  server: Server,
  images: number,
  change: (recipe: Recipe) => void = () => undefined,
): Promise<Rehearsed> {
  const world = await product.world(images);
  const dataset = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const recipe = await server.smallRecipe(change);
  const request = { recipe, inputs: [{ role: 'images', dataset_id: dataset.id }], reuse_stages: false };
  const { adapter, steps } = await once(JSON.stringify([images, recipe]), () => undisturbed(product, server, request));
  const assertSame = async (run: Run): Promise<void> => {
    await assertWhole(product, run);
    expect(await lossSteps(product, run.id), 'no step is missing').toStrictEqual(steps);
    expect(await adapterOf(product, run.id), 'the adapter is that of the undisturbed run').toBe(adapter);
  };
  return { request, assertSame };
}

type Made = { readonly adapter: string; readonly steps: readonly number[] };

async function undisturbed(product: Product, server: Server, request: object): Promise<Made> {
  const { id } = Run.fromJSON(await server.post('/api/runs', request));
  await assertWhole(product, await server.ended(id));
  const [adapter, steps] = [await adapterOf(product, id), await lossSteps(product, id)];
  expect(steps).toStrictEqual(Array.from({ length: steps.length }, (_, index) => index + 1));
  return { adapter, steps };
}

/** What a run makes depends on its recipe and pictures alone: the test files that `npm test` runs together share it in REHEARSALS. */
async function once(what: string, make: () => Promise<Made>): Promise<Made> {
  const folder = process.env['REHEARSALS'];
  if (folder === undefined) return make();
  const file = path.join(folder, `rehearsal-${createHash('sha256').update(what).digest('hex')}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Made;
  const made = await make();
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
  renameSync(`${file}.${process.pid}`, file);
  return made;
}

/** Digest of the adapter a run's training has made. */
async function adapterOf(product: Product, runId: string): Promise<string> {
  const [stage1] = await product.query<{ adapter_sha256: string }>(
    `SELECT adapter_sha256 FROM checkpoint WHERE run_id = $1 AND name = 'stage1'`,
    [runId],
  );
  ensure(stage1, 'the run has made an adapter');
  return stage1.adapter_sha256;
}

/** How many steps the visible dpo/loss series has: one value per step, whichever attempt made it. */
async function lossSteps(product: Product, runId: string): Promise<number[]> {
  const rows = await product.query<{ step: number }>(
    `SELECT DISTINCT step FROM metric_point WHERE run_id = $1 AND name = 'dpo/loss' ORDER BY step`,
    [runId],
  );
  return rows.map((row) => row.step);
}

export const attemptsOf = (run: Run, kind: StageKind): Run['stages'][number]['attempts'] =>
  run.stages.find((stage) => stage.kind === kind)?.attempts ?? [];

/** A stage is on a trainer and its worker has begun. */
export function isWorking(run: Run, kind: StageKind): boolean {
  const stage = run.stages.find((one) => one.kind === kind);
  return stage?.state === StageState.STAGE_STATE_RUNNING && (stage.attempts.at(-1)?.device ?? '') !== '';
}

/** A training stage has done so many steps. */
export function hasTrained(run: Run, kind: StageKind, steps: number): boolean {
  const progress = run.stages.find((one) => one.kind === kind)?.progress;
  return isWorking(run, kind) && progress?.unit === 'steps' && progress.done >= steps;
}

/** The server has noticed that a trainer does not answer about an attempt of the run. */
export async function isMissed(product: Product, runId: string): Promise<boolean> {
  const missed = await product.query<object>(
    'SELECT 1 FROM attempt JOIN stage ON stage.id = stage_id WHERE run_id = $1 AND unreachable_since IS NOT NULL',
    [runId],
  );
  return missed.length > 0;
}
