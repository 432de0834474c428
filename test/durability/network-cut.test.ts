import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { isMissed, isWorking, rehearse } from '../support/checks.js';
import { Product, until } from '../support/product.js';
import { Wire } from './wire.js';

const product = new Product();
let wire: Wire | undefined;
afterAll(async () => {
  await wire?.cut();
  await product.close();
});

test('a network that falls silent, and one that is cut, between server and trainer cost no attempt and no event', async () => {
  const near = await product.start();
  const { request, assertSame } = await rehearse(product, near, 8);
  await near.kill();

  wire = await Wire.to(await product.localTrainer());
  const server = await product.replica([wire.address]);
  const { id } = Run.fromJSON(await server.post('/api/runs', request));
  for (const [kind, disturb] of [
    [StageKind.STAGE_KIND_PREFER, (): void => wire?.fallSilent()],
    [StageKind.STAGE_KIND_DPO, (): Promise<void> | undefined => wire?.cut()],
  ] as const) {
    await server.runWhen(id, (run) => isWorking(run, kind));
    await disturb();
    await until(() => isMissed(product, id), Boolean);
    await wire.mend();
  }
  const run = await server.ended(id);

  await assertSame(run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
}, 240_000);
