import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { assertWhole, isWorking } from '../support/checks.js';
import { Product, until } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

test('two servers on one database run no stage twice, and the one takes over from the other within the lease', async () => {
  const first = await product.start();
  const second = await product.replica([await product.localTrainer()]);
  const world = await product.world(8);
  const images = await first.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const recipe = await first.smallRecipe();
  const inputs = [{ role: 'images', dataset_id: images.id }];
  const runs = [];
  for (const server of [first, second]) runs.push(Run.fromJSON(await server.post('/api/runs', { recipe, inputs, reuse_stages: false })));
  const [one = Run.fromPartial({}), two = Run.fromPartial({})] = runs;

  await second.runWhen(one.id, (run) => isWorking(run, StageKind.STAGE_KIND_PREFER));
  const owner = async (): Promise<string> => {
    const [stage] = await product.query<{ lease_owner: string | null }>(
      `SELECT lease_owner FROM stage WHERE run_id = $1 AND state = 'STAGE_STATE_RUNNING' AND lease_expires_at > now()`,
      [one.id],
    );
    return stage?.lease_owner ?? '';
  };
  const before = await until(owner, (name) => name !== '');
  const [holder, other] = before.includes(`/${first.pid}/`) ? [first, second] : [second, first];
  const killedAt = Date.now();
  await holder.kill();
  await until(owner, (name) => name !== '' && name !== before);
  expect(Date.now() - killedAt, `taken over after ${Date.now() - killedAt} ms`).toBeLessThan(8_000);

  await other.post(`/api/runs/${two.id}/cancel`, {});
  const run = await other.ended(one.id);
  await assertWhole(product, run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} ran once`).toHaveLength(1);
  const unstarted = await other.ended(two.id);
  expect(
    unstarted.stages.flatMap((stage) => stage.attempts),
    'the one trainer was never given two jobs',
  ).toStrictEqual([]);
}, 240_000);
