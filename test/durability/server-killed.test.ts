import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { attemptsOf, isWorking, rehearse } from '../support/checks.js';
import { Product } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

test('a server killed in the middle of stages loses nothing: the jobs go on and the next server takes them up', async () => {
  let server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 8);
  const { id } = Run.fromJSON(await server.post('/api/runs', request));

  for (const kind of [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]) {
    await server.runWhen(id, (run) => isWorking(run, kind));
    await server.kill();
    server = await product.start();
  }
  const run = await server.ended(id);

  await assertSame(run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
  expect(attemptsOf(run, StageKind.STAGE_KIND_DPO)[0]?.resumedFromStep).toBe(0);
}, 180_000);
