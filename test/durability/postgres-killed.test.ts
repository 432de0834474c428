import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { hasEnded } from '../../server/src/platform/processes/process-table.js';
import { isWorking, rehearse } from '../support/checks.js';
import { Product, until } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

test('a Postgres killed in the middle of stages comes back, and the run makes what it makes undisturbed', async () => {
  const server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 8);
  const { id } = Run.fromJSON(await server.post('/api/runs', request));
  for (const kind of [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]) {
    await server.runWhen(id, (run) => isWorking(run, kind));
    expect(await hasEnded(product.killPostgres(), 5_000)).toBe(true);
    await until(
      () => server.call('GET', `/api/runs/${id}`),
      ({ status, body }) => {
        expect(status === 200 || status === 503, `${status}: ${JSON.stringify(body)}`).toBe(true);
        return status === 200;
      },
    );
  }
  const run = await server.ended(id);
  const listening = await product.query<{ count: string }>(
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stic-changes'`,
    [],
  );
  expect(listening, 'however often it had to connect again').toStrictEqual([{ count: '1' }]);

  await assertSame(run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
}, 240_000);
