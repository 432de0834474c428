import { ListTicksResponse, Schedule, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Product, type Server, until } from '../support/product.js';

const product = new Product();
let server: Server;
let replica: Server;

beforeAll(async () => {
  server = await product.start();
  replica = await product.replica([await product.localTrainer()]);
});
afterAll(() => product.close());

test('two servers, one of them killed: no time of a schedule is lost and none comes twice', async () => {
  const world = await product.world(4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const { id } = Schedule.fromJSON(
    await server.post('/api/schedules', {
      spec: {
        name: 'every second',
        cron: '* * * * * *',
        zone: 'UTC',
        recipe: await server.smallRecipe(),
        inputs: [{ role: 'images', dataset_id: images.id, only_new: true, minimum_items: 1000 }],
        catch_up: 'CATCH_UP_POLICY_NONE',
      },
    }),
  );
  const listed = (least: number) =>
    until(
      async () => ListTicksResponse.fromJSON(await replica.get(`/api/schedules/${id}/ticks?page_size=200`)).ticks,
      (ticks) => ticks.length >= least,
    );
  const before = await listed(3);
  await server.kill();
  const ticks = await listed(before.length + 5);

  const seconds = ticks.map((tick) => (tick.nominalAt?.getTime() ?? 0) / 1_000).reverse();
  const [first = 0] = seconds;
  expect(seconds, 'every second once').toStrictEqual(Array.from(seconds, (_, index) => first + index));
  // While one is being looked at, the next one is skipped for the overlap.
  const reasons = new Set(ticks.filter((tick) => tick.state !== TickState.TICK_STATE_WAITING).map((tick) => tick.reason));
  reasons.delete(TickReason.TICK_REASON_OVERLAP);
  expect([...reasons]).toStrictEqual([TickReason.TICK_REASON_TOO_FEW_IMAGES]);
}, 120_000);
