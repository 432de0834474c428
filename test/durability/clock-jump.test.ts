import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { isWorking, rehearse } from '../support/checks.js';
import { MovableClock } from './clock.js';
import { Product } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

const HOUR_MS = 3_600_000;

test('a clock that jumps by hours, back and forth, under a working server and under a dead one, holds no run up and loses none', async () => {
  let server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 8);
  const start = async (): Promise<string> => Run.fromJSON(await server.post('/api/runs', request)).id;
  const clock = await MovableClock.install(product);
  await server.kill();
  server = await product.start(clock.environment);
  const jumped = await start();
  await server.runWhen(jumped, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  await clock.set(3 * HOUR_MS);
  await server.runWhen(jumped, (run) => isWorking(run, StageKind.STAGE_KIND_DPO));
  await clock.set(2 * HOUR_MS);
  const first = await server.ended(jumped);

  // The dead server's lease ends an hour from now, by the clock that was set back.
  const orphaned = await start();
  await server.runWhen(orphaned, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  await server.kill();
  await clock.set(HOUR_MS);
  server = await product.start(clock.environment);
  const second = await server.ended(orphaned);

  for (const run of [first, second]) {
    await assertSame(run);
    for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
  }
}, 180_000);
