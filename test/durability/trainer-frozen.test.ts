import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { isAlive } from '../../server/src/platform/processes/process-table.js';
import { attemptsOf, isMissed, isWorking, rehearse } from '../support/checks.js';
import { Product, until } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

test('a trainer that is frozen for a while costs no attempt and no event', async () => {
  const server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 8);
  const { id } = Run.fromJSON(await server.post('/api/runs', request));
  for (const kind of [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]) {
    await server.runWhen(id, (run) => isWorking(run, kind));
    await whileFrozen(() => until(() => isMissed(product, id), Boolean));
  }
  const run = await server.ended(id);

  await assertSame(run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
  await server.stop();
}, 180_000);

test('a run is cancelled although its trainer does not answer, and the job is stopped when the trainer is back', async () => {
  const server = await product.start();
  const world = await product.world(60);
  const images = await server.dataset('many images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const recipe = await server.smallRecipe(({ prefer }) => prefer?.generation && (prefer.generation.maxNewTokens = 120));
  const { id } = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [{ role: 'images', dataset_id: images.id }] }));
  const working = await server.runWhen(id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  const worker = product.worker(attemptsOf(working, StageKind.STAGE_KIND_PREFER)[0]?.id ?? '');

  await whileFrozen(async () => {
    expect(Run.fromJSON(await server.post(`/api/runs/${id}/cancel`, {})).state).toBe(RunState.RUN_STATE_CANCELLING);
    expect((await server.ended(id)).state).toBe(RunState.RUN_STATE_CANCELLED);
  });
  await until(
    () => Promise.resolve(isAlive(worker)),
    (alive) => !alive,
  );
}, 180_000);

/** Stops the trainer, not its worker, until the work is done. */
async function whileFrozen(work: () => Promise<unknown>): Promise<void> {
  const { pid } = product.trainer;
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
