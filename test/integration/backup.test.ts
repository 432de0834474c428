import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestText, readManifest, verifyBackup } from '../../server/src/backup/manifest.js';
import { ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { DomainError } from '../../server/src/platform/errors.js';
import { Product, type Server } from '../support/product.js';
import { readTar } from '../support/archive.js';
import { ensure, fail } from '../support/expect.js';

const program = fileURLToPath(new URL('../../server/src/cli/stic.js', import.meta.url));
const product = new Product();
const finished = new Product();
const interrupted = new Product();
const early = path.join(product.folder, 'early.tar');
const late = path.join(product.folder, 'late');
let run: Run;
let before: unknown[];
let made: string[];

afterAll(async () => {
  for (const one of [product, finished, interrupted]) await one.close();
});

/** `npm run stic -- ...` on a state folder. */
async function stic(state: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args, '--state', state], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

async function done(state: string, ...args: string[]): Promise<string> {
  const { code, output } = await stic(state, ...args);
  expect(code, output).toBe(0);
  return output;
}

async function refused(state: string, args: string[], message: RegExp): Promise<void> {
  const { code, output } = await stic(state, ...args);
  expect(code, output).toBe(1);
  expect(output.replace(/\s+/g, ' ')).toMatch(message);
  expect(output, 'words, not a stack').not.toMatch(/^ +at /m);
}

/** All that the API says of the run, its data and its checkpoints; paths are of this machine. */
async function told(server: Server): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const below of ['', '/metrics', '/logs', '/pairs', '/samples', '/skipped', '/comparison']) {
    answers.push(await server.get(`/api/runs/${run.id}${below}`));
  }
  answers.push(await server.get('/api/datasets'), await server.get('/api/evaluations'));
  for (const { id, ...checkpoint } of await checkpoints(server)) {
    answers.push({ ...checkpoint, path: '' }, await server.get(`/api/checkpoints/${id}/lineage`));
    const files = await readTar(`${server.url}/api/checkpoints/${id}/files`);
    answers.push([...files].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]));
  }
  return answers;
}

const adapters = async (server: Server): Promise<string[]> => (await checkpoints(server)).map(({ adapterSha256 }) => adapterSha256);
const checkpoints = async (server: Server) => ListCheckpointsResponse.fromJSON(await server.get('/api/checkpoints')).checkpoints;

test('a backup is taken while a run is going, and another when it has finished', async () => {
  const server = await product.start();
  const world = await product.world(4, 2, 2);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const recipe = await server.smallRecipe();
  const inputs = [{ role: 'images', dataset_id: images.id }];
  run = Run.fromJSON(await server.post('/api/runs', { name: 'separated', recipe, inputs }));
  // Refused today; a database of an earlier release may hold it.
  await product.query('UPDATE run SET name = $1 WHERE id = $2', ['line\u2028separated', run.id]);
  await server.runWhen(run.id, ({ state }) => state === RunState.RUN_STATE_RUNNING);
  expect(await done(product.state, 'backup', early)).toMatch(/Backed up/);
  expect((await server.ended(run.id)).state).toBe(RunState.RUN_STATE_SUCCEEDED);
  before = await told(server);
  made = await adapters(server);
  expect(made).toHaveLength(1);
  await done(product.state, 'backup', late);
  expect(await done(product.state, 'check', late)).toMatch(/Every digest is right/);
  await refused(product.state, ['backup', late], /exists already/);
  await refused(product.state, ['restore', late], /Another server .* already runs/);
  await server.stop();
}, 240_000);

test('restored into an empty installation, everything is there as it was', async () => {
  expect(await done(finished.state, 'restore', late)).toMatch(/every digest and every count/);
  await refused(
    finished.state,
    ['restore', late],
    /The artifact store .* holds blobs: a backup is only restored into an empty installation/,
  );
  const server = await finished.start();
  expect(await told(server)).toStrictEqual(before);
  // Running numbers go on behind the restored ones.
  const inputs = run.inputs.map(({ role, datasetId }) => ({ role, dataset_id: datasetId }));
  const next = Run.fromJSON(await server.post('/api/runs', { recipe: await server.smallRecipe(), inputs }));
  await server.post(`/api/runs/${next.id}/cancel`, {});
  await server.ended(next.id);
}, 240_000);

test('a run that was going when the backup was taken goes on where it was restored', async () => {
  await done(interrupted.state, 'restore', early);
  const server = await interrupted.start();
  const ended = await server.ended(run.id);
  expect(ended.state).toBe(RunState.RUN_STATE_SUCCEEDED);
  expect(await adapters(server), 'the same adapter, byte by byte').toStrictEqual(made);
}, 240_000);

/** The backup with one change, checked. */
async function changed(change: (folder: string) => void | Promise<void>): Promise<DomainError> {
  const folder = path.join(product.folder, 'changed');
  rmSync(folder, { recursive: true, force: true });
  cpSync(late, folder, { recursive: true });
  await change(folder);
  try {
    await verifyBackup(folder);
  } catch (error) {
    ensure(error instanceof DomainError, String(error));
    return error;
  }
  return fail('nothing was noticed');
}

test('one flipped byte or one missing file is found, wherever it is, and nothing is restored', async () => {
  const files = readdirSync(late, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(late, path.join(entry.parentPath, entry.name)));
  const one = (pattern: RegExp): string => files.find((file) => pattern.test(file)) ?? fail(String(pattern));
  const kinds = [/^files\.jsonl$/, /^database.run\.jsonl$/, /^store.blobs/, /^store.trees.*safetensors$/].map(one);
  for (const file of kinds) {
    const flipped = await changed((folder) => {
      const bytes = readFileSync(path.join(folder, file));
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
      writeFileSync(path.join(folder, file), bytes);
    });
    expect(flipped.message).toMatch(/sha256 is/);
    expect(flipped.message).toContain(file);
    const missing = await changed((folder) => renameSync(path.join(folder, file), path.join(folder, 'aside')));
    expect(missing.message).toContain(`${file}: it is missing`);
  }
  const text = await changed((folder) => {
    const file = path.join(folder, 'manifest.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"rows": (\d+)/, '"rows": 1$1'));
  });
  expect(text.message).toMatch(/manifest\.json: its content is not what its own digest says/);

  const empty = path.join(product.folder, 'empty');
  await refused(empty, ['restore', path.join(product.folder, 'changed')], /The backup is damaged/);
  await refused(empty, ['restore', product.folder], /is no backup/);
  writeFileSync(path.join(product.folder, 'cut.tar'), readFileSync(early).subarray(0, 100_000));
  await refused(empty, ['restore', path.join(product.folder, 'cut.tar')], /cannot be read as a backup/);
  const other = await readManifest(late);
  writeFileSync(path.join(product.folder, 'changed/manifest.json'), manifestText({ ...other, migrations: ['Later1999999999999'] }));
  await refused(empty, ['restore', path.join(product.folder, 'changed')], /was made by Later1999999999999, which is not known here/);
  expect(existsSync(empty)).toBe(false);
}, 60_000);
