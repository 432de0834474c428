import pg from 'pg';
import { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { rehearse } from '../support/checks.js';
import { Product, until } from '../support/product.js';

const product = new Product();
afterAll(() => product.close());

/** Where the server is held and killed, in the order in which a run comes there, each in the middle of a transaction. */
const PAUSE_POINTS = {
  attempt: 'the first attempt is being made',
  artifact: 'the end of prefer is being stored',
  metric_point: 'metrics of dpo are being stored',
  checkpoint: 'the end of dpo is being stored and its checkpoint kept',
};

test('a server killed in the middle of a transaction, at any of its named points, has done all of it or nothing', async () => {
  let server = await product.start();
  const { request, assertSame } = await rehearse(product, server, 8);

  let id = '';
  for (const [table, point] of Object.entries(PAUSE_POINTS)) {
    const release = await hold(table);
    // Started anew only now, so that it cannot be past the point already.
    if (!server.isRunning) server = await product.start();
    if (id === '') ({ id } = Run.fromJSON(await server.post('/api/runs', request)));
    await until(() => isAwaited(table), Boolean);
    await server.kill();
    await release();
    console.log(`killed while ${point}`);
  }
  server = await product.start();
  const run = await server.ended(id);

  await assertSame(run);
  for (const stage of run.stages) expect(stage.attempts, `${stage.kind} was not started again`).toHaveLength(1);
}, 240_000);

/** Makes everyone who writes to the table wait; gives the function that ends this. */
async function hold(table: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: product.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${client.escapeIdentifier(table)} IN SHARE MODE`);
  return () => client.end();
}

async function isAwaited(table: string): Promise<boolean> {
  const waiting = await product.query<object>('SELECT 1 FROM pg_locks WHERE relation = $1::regclass AND NOT granted', [table]);
  return waiting.length > 0;
}
