import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StageKind } from '../../server/src/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '../../server/src/gen/stic/trainer/v1/trainer.js';
import { Run } from '../../server/src/gen/stic/runs/v1/runs.js';
import { assertWhole, attemptsOf, isWorking, lossSteps } from './checks.js';
import { Product } from './product.js';

const product = new Product();
after(() => product.close());

test(
  'a server killed in the middle of stages loses nothing: the jobs go on and the next server takes them up',
  { timeout: 180_000 },
  async () => {
    let server = await product.start();
    const world = await product.world(8);
    const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
    const recipe = await server.smallRecipe();
    const { id } = Run.fromJSON(await server.post('/api/runs', { recipe, inputs: [{ role: 'images', dataset_id: images.id }] }));

    for (const kind of [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]) {
      await server.runWhen(id, (run) => isWorking(run, kind));
      await server.kill();
      server = await product.start();
    }
    const run = await server.ended(id);

    await assertWhole(product, run);
    for (const stage of run.stages) assert.equal(stage.attempts.length, 1, `${stage.kind} was not started again`);
    assert.equal(attemptsOf(run, StageKind.STAGE_KIND_DPO)[0]?.resumedFromStep, 0);
    assert.deepEqual(await lossSteps(product, id), [1, 2]);
  },
);
