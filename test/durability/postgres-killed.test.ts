import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { hasEnded } from '../../server/src/platform/processes/process-table.js';
import { isWorking, rehearse } from '../support/checks.js';
import { Product, until } from '../support/product.js';

const product = new Product();
after(() => product.close());

test(
  'a Postgres killed in the middle of stages comes back, and the run makes what it makes undisturbed',
  { timeout: 240_000 },
  async () => {
    const server = await product.start();
    const { request, assertSame } = await rehearse(product, server, 8);
    const { id } = Run.fromJSON(await server.post('/api/runs', request));
    for (const kind of [StageKind.STAGE_KIND_PREFER, StageKind.STAGE_KIND_DPO]) {
      await server.runWhen(id, (run) => isWorking(run, kind));
      assert.ok(await hasEnded(product.killPostgres(), 5_000));
      await until(
        () => server.call('GET', `/api/runs/${id}`),
        ({ status, body }) => {
          assert.ok(status === 200 || status === 503, `${status}: ${JSON.stringify(body)}`);
          return status === 200;
        },
      );
    }
    const run = await server.ended(id);
    const listening = await product.query<{ count: string }>(
      `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stic-changes'`,
      [],
    );
    assert.deepEqual(listening, [{ count: '1' }], 'however often it had to connect again');

    await assertSame(run);
    for (const stage of run.stages) assert.equal(stage.attempts.length, 1, `${stage.kind} was not started again`);
  },
);
