import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { hasEnded } from '../../server/src/platform/processes/process-table.js';
import { attemptsOf, hasTrained, rehearse } from '../support/checks.js';
import { Product } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

test('a disk that is full under the journal ends the attempt, and the next one goes on from the last checkpoint', async () => {
  const first = await product.start();
  const { request, assertSame } = await rehearse(product, first, 16, (recipe) => {
    if (recipe.dpo?.optimizer) recipe.dpo.optimizer.epochs = 4;
    recipe.retry = { maxAttempts: 20, backoffSeconds: 0.5 };
  });
  await first.kill();

  const trainer = await product.sidecar('small-disk', { diskMib: 64 });
  const server = await product.replica([trainer.address]);
  const { id } = Run.fromJSON(await server.post('/api/runs', request));
  const training = await server.runWhen(id, (run) => hasTrained(run, StageKind.STAGE_KIND_DPO, 3));
  const worker = product.worker(attemptsOf(training, StageKind.STAGE_KIND_DPO)[0]?.id ?? '', trainer.state);
  const filler = path.join(trainer.state, 'filler');
  fill(filler);
  expect(await hasEnded(worker, 60_000), 'a worker that cannot say anything any more ends').toBe(true);
  rmSync(filler);
  const run = await server.ended(id);

  await assertSame(run);
  const [full, ...later] = attemptsOf(run, StageKind.STAGE_KIND_DPO);
  expect(full?.state === JobState.JOB_STATE_LOST || full?.error?.code === 'DISK_FULL', JSON.stringify(full)).toBe(true);
  expect(later.at(-1)?.resumedFromStep ?? 0, JSON.stringify(later)).toBeGreaterThanOrEqual(2);
}, 240_000);

/** Writes until there is no room for one more byte. */
function fill(file: string): void {
  const open = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 1;) {
      try {
        writeSync(open, Buffer.alloc(size));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(open);
  }
}
