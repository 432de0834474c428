import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StageKind } from '../../server/src/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '../../server/src/gen/stic/trainer/v1/trainer.js';
import { Run, RunState } from '../../server/src/gen/stic/runs/v1/runs.js';
import { isAlive } from '../../server/src/platform/processes/process-table.js';
import { attemptsOf, isWorking } from './checks.js';
import { Product, until } from './product.js';

const product = new Product();
after(() => product.close());

test(
  'a run is cancelled although its trainer does not answer, and the job is stopped when the trainer is back',
  { timeout: 180_000 },
  async () => {
    const server = await product.start();
    const world = await product.world(60);
    const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
    const recipe = await server.smallRecipe(({ prefer }) => prefer?.generation && (prefer.generation.maxNewTokens = 120));
    const { id } = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [{ role: 'images', dataset_id: images.id }] }));
    const working = await server.runWhen(id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
    const worker = product.worker(attemptsOf(working, StageKind.STAGE_KIND_PREFER)[0]?.id ?? '');

    const { pid } = product.trainer;
    process.kill(pid, 'SIGSTOP');
    try {
      assert.equal(Run.fromJSON(await server.post(`/api/runs/${id}/cancel`, {})).state, RunState.RUN_STATE_CANCELLING);
      assert.equal((await server.ended(id)).state, RunState.RUN_STATE_CANCELLED);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(
      () => Promise.resolve(isAlive(worker)),
      (alive) => !alive,
    );
  },
);
