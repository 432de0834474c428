import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { attemptsOf, hasTrained, isWorking, rehearse } from '../support/checks.js';
import { Product } from '../support/product.js';
import { ensure } from '../support/expect.js';

const product = new Product();
afterAll(() => product.close());

test('a worker killed in training is LOST, not FAILED, and a new attempt takes its work up; a killed sidecar costs no attempt', async () => {
  const server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 16, ({ dpo }) => dpo?.optimizer && (dpo.optimizer.epochs = 4));
  const { id } = Run.fromJSON(await server.post('/api/runs', request));

  await server.runWhen(id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  process.kill(product.trainer.pid, 'SIGKILL');

  const training = await server.runWhen(id, (run) => hasTrained(run, StageKind.STAGE_KIND_DPO, 3));
  process.kill(product.worker(attemptsOf(training, StageKind.STAGE_KIND_DPO)[0]?.id ?? ''), 'SIGKILL');
  const run = await server.ended(id);

  await assertSame(run);
  expect(attemptsOf(run, StageKind.STAGE_KIND_PREFER), 'the job outlived its sidecar').toHaveLength(1);
  const [first, second] = attemptsOf(run, StageKind.STAGE_KIND_DPO);
  expect(first?.state).toBe(JobState.JOB_STATE_LOST);
  ensure(second);
  expect(second.state).toBe(JobState.JOB_STATE_SUCCEEDED);
  expect(second.resumedFromStep, `resumed from step ${second.resumedFromStep}`).toBeGreaterThanOrEqual(2);
}, 240_000);
