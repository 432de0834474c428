import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import pg from 'pg';
import { grpcClient } from '@stic/api/grpc.js';
import { DataSource } from 'typeorm';
import { type RunningApp, startApp } from '../../server/src/app.js';
import { Checkpoint, MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import {
  ApplyRetentionResponse,
  ListOrphansResponse,
  ListRetentionApplicationsResponse,
  OrphanKind,
  RemoveOrphansResponse,
  RetentionPlan,
  RetentionServiceDefinition,
} from '@stic/api/gen/stic/retention/v1/retention.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import {
  ArtifactEntity,
  AttemptEntity,
  CheckpointEntity,
  MergedExportEntity,
  RunEntity,
  StageEntity,
} from '../../server/src/model/index.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { advisoryLock } from '../../server/src/platform/database/locks.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import { TrainerDirectory } from '../../server/src/trainers/index.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-r-'));
const long = new Date('2025-01-01T00:00:00Z');
const rules = { keep_days: 1, keep_last_per_schedule: 0, keep_best_per_benchmark: 0 };
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let running: RunningApp;
let store: ArtifactStore;
let db: DataSource;
let url = '';

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  const config = loadConfig({ STIC_STATE: path.join(folder, 'state'), STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '0', STIC_LOG_LEVEL: 'error' });
  postgres = await EmbeddedPostgres.open({ state: config.state });
  running = await startApp({ config, databaseUrl: postgres.url, trainers: TrainerDirectory.fixed([]) });
  [store, db] = [running.app.get(ArtifactStore), running.app.get(DataSource)];
  url = `http://127.0.0.1:${running.httpPort}/api`;
});
afterAll(async () => {
  await running.app.close();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

async function asked(method: 'GET' | 'POST', where: string, body?: object): Promise<{ status: number; body: unknown }> {
  const sent = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url + where, { method, ...sent });
  return { status: response.status, body: await response.json() };
}

const post = async (where: string, body: object): Promise<unknown> => {
  const answer = await asked('POST', where, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};

/** A tree of old files with this content; its digest. */
function tree(content: string): string {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const digest = createHash('sha256').update(`${sha256}  adapter.bin\n`).digest('hex');
  mkdirSync(store.treePath(digest), { recursive: true });
  writeFileSync(path.join(store.treePath(digest), 'adapter.bin'), content);
  utimesSync(store.treePath(digest), long, long);
  return digest;
}

async function blob(content: string): Promise<string> {
  const digest = await store.putBlob(content);
  utimesSync(store.blobPath(digest), long, long);
  return digest;
}

/** A run that has ended, with one checkpoint, as the reconciler leaves it. */
async function made(name: string, digest: string, more: Partial<CheckpointEntity> = {}, run: Partial<RunEntity> = {}): Promise<string> {
  const [runId, stageId, attemptId, id] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const state = RunState.RUN_STATE_SUCCEEDED;
  await db.manager.insert(RunEntity, {
    ...{ id: runId, name, state, recipe: {}, recipeDigest: '', createdAt: long, endedAt: long },
    ...run,
  });
  const kind = StageKind.STAGE_KIND_DPO;
  await db.manager.insert(StageEntity, { id: stageId, runId, position: 0, kind, state: StageState.STAGE_STATE_SUCCEEDED, after: [] });
  await db.manager.insert(AttemptEntity, {
    ...{ id: attemptId, stageId, number: 1, state: JobState.JOB_STATE_SUCCEEDED, trainer: 'host:1', key: `key of ${digest}` },
    endedAt: long,
  });
  const artifact = { attemptId, runId, stageId, mediaType: '', items: 0, metadata: {}, bytes: '5' };
  const pairs = {
    name: 'pairs',
    kind: ArtifactKind.ARTIFACT_KIND_BLOB,
    sha256: await blob(`{"image":{"sha256":"${await blob(name)}"}}\n`),
  };
  await db.manager.insert(ArtifactEntity, [
    { ...artifact, seq: '1', name: 'adapter', kind: ArtifactKind.ARTIFACT_KIND_TREE, sha256: digest },
    { ...artifact, seq: '2', ...pairs },
  ]);
  await db.manager.insert(CheckpointEntity, {
    ...{ id, runId, attemptId, name: 'stage1', adapterSha256: digest, bytes: '5', baseModelPath: '/m', baseModelDigest: 'b' },
    ...{ templateHash: '', parentId: null, createdAt: long },
    ...more,
  });
  return id;
}

const plan = async (): Promise<RetentionPlan> => RetentionPlan.fromJSON(await post('/retention/plan', { rules }));
const goingOf = ({ verdicts }: RetentionPlan): string[] => verdicts.filter(({ keeps }) => keeps.length === 0).map(({ runName }) => runName);
const orphans = async (): Promise<ListOrphansResponse> => ListOrphansResponse.fromJSON((await asked('GET', '/retention/orphans')).body);

test('the plan says why each stays, and the deletion does what the plan said', async () => {
  const [lone, shared, champion, root] = ['lone', 'share', 'champ', 'root!'].map(tree) as [string, string, string, string];
  const old = await made('old', lone);
  await made('twin', shared);
  const pinned = await made('pinned twin', shared, { parentId: await made('root', root) });
  await made('young', tree('young'), { createdAt: new Date() });
  await made('under way', tree('going'), {}, { state: RunState.RUN_STATE_RUNNING, endedAt: null, createdAt: new Date() });
  const best = await made('champion', champion);
  await db.query(
    `INSERT INTO alias (id, base_model_digest, base_model_path, name, checkpoint_id, version, updated_at) VALUES ($1, 'b', '/m', 'champion', $2, 0, now())`,
    [randomUUID(), best],
  );
  expect(goingOf(await plan()).sort()).toStrictEqual(['old', 'pinned twin', 'root', 'twin']);
  await post(`/checkpoints/${pinned}/pin`, { pinned: true });
  expect(Checkpoint.fromJSON((await asked('GET', `/checkpoints/${pinned}`)).body).pinnedAt).toBeTruthy();

  const seen = await plan();
  expect(goingOf(seen).sort()).toStrictEqual(['old', 'twin']);
  expect(seen.frees, 'the pinned twin has the same files').toBe(5n);
  const why = Object.fromEntries(seen.verdicts.map(({ runName, keeps }) => [runName, keeps.map(({ message }) => message).join(' ')]));
  expect(why['pinned twin'] ?? '').toMatch(/^Pinned since /);
  expect(why['root']).toBe('stage1 of pinned twin, which stays, was made from it.');
  expect(why['champion']).toBe('It is the champion.');
  expect(why['under way']).toBe('Run under way is under way and needs it.');
  expect(why['young'] ?? '').toMatch(/kept for 1 days/);

  const nothing = await asked('POST', '/retention/apply', { rules: { ...rules, keep_days: 0 }, digest: seen.digest });
  expect([nothing.status, JSON.stringify(nothing.body)]).toStrictEqual([400, expect.stringMatching(/keep nothing/)]);
  const stale = await asked('POST', '/retention/apply', { rules: { ...rules, keep_days: 0, keep_none: true }, digest: seen.digest });
  expect(stale.status, 'other rules, another plan').toBe(400);
  expect(JSON.stringify(stale.body)).toMatch(/give another plan/);
  expect(ApplyRetentionResponse.fromJSON(await post('/retention/apply', { rules, digest: seen.digest }))).toStrictEqual({
    deleted: 2,
    freed: 5n,
  });
  expect([lone, shared, champion, root].map((digest) => existsSync(store.treePath(digest)))).toStrictEqual([false, true, true, true]);
  expect(Checkpoint.fromJSON((await asked('GET', `/checkpoints/${old}`)).body).deletedAt, 'the row stays').toBeTruthy();
  expect((await asked('GET', `/checkpoints/${old}/files`)).status).toBe(404);
  expect(JSON.stringify((await asked('POST', `/checkpoints/${old}/pin`, { pinned: true })).body)).toMatch(/has been deleted/);
  const keys: { key: string | null }[] = await db.query(`SELECT key FROM attempt WHERE key LIKE $1`, [`%${lone}`]);
  expect(keys, 'nobody links to what is gone').toStrictEqual([]);
  expect(goingOf(await plan())).toStrictEqual([]);
  const { applications } = ListRetentionApplicationsResponse.fromJSON((await asked('GET', '/retention/applications')).body);
  expect(applications.map(({ deleted, freed }) => [deleted.map(({ name }) => name).sort(), freed])).toStrictEqual([
    [['stage1 of old', 'stage1 of twin'], 5n],
  ]);
  expect(applications[0]?.actor ?? '').toMatch(/^someone \(HTTP /);
});

test('an alias is not moved to a checkpoint that has been deleted', async () => {
  const gone = await made('gone', tree('gone!'), { deletedAt: new Date() });
  const answer = await asked('POST', '/aliases', { checkpoint_id: gone, name: 'champion', reason: 'no' });
  expect(JSON.stringify(answer.body)).toMatch(/have been deleted/);
});

test('a crash between the rows and the files leaves orphans only, which are found and removed; what is named or young stays', async () => {
  const crashed = tree('crash');
  const [merged, mergedGone] = [tree('merged'), tree('merged, gone')];
  const state = MergedState.MERGED_STATE_READY;
  for (const [sha256, checkpointId] of [
    [mergedGone, await made('crashed', crashed, { deletedAt: new Date() })],
    [merged, await made('exported', tree('exported'))],
  ] as const) {
    await db.manager.insert(MergedExportEntity, { checkpointId, dtype: '', state, sha256, createdAt: long });
  }
  const stray = await blob('nobody names me');
  const fresh = await store.putBlob('fresh');
  const renewed = await blob('wanted again');
  await store.putBlob('wanted again');
  writeFileSync(path.join(store.root, 'tmp/draft'), 'half');
  utimesSync(path.join(store.root, 'tmp/draft'), long, long);

  const found = await orphans();
  const named = (kind: OrphanKind): string[] => found.orphans.filter((one) => one.kind === kind).map((one) => path.basename(one.path));
  expect(named(OrphanKind.ORPHAN_KIND_BLOB)).toStrictEqual([stray]);
  const trees = named(OrphanKind.ORPHAN_KIND_TREE);
  expect(
    [crashed, mergedGone, merged].map((digest) => trees.includes(digest)),
    'a merged export is kept as long as its checkpoint',
  ).toStrictEqual([true, true, false]);
  expect(named(OrphanKind.ORPHAN_KIND_TEMPORARY)).toStrictEqual(['draft']);
  const removed = RemoveOrphansResponse.fromJSON(await post('/retention/orphans/remove', {}));
  expect([removed.removed, removed.freed]).toStrictEqual([found.total, found.bytes]);
  expect(
    [store.blobPath(stray), store.treePath(crashed), store.blobPath(fresh), store.blobPath(renewed)].map((file) => existsSync(file)),
  ).toStrictEqual([false, false, true, true]);
  expect((await orphans()).total).toBe(0);
});

test('nothing is removed while a backup holds the files, and the rules must be said', async () => {
  const backup = new pg.Client({ connectionString: postgres.url });
  await backup.connect();
  await backup.query('SELECT pg_advisory_lock_shared($1)', [advisoryLock.files]);
  expect(JSON.stringify((await asked('POST', '/retention/orphans/remove', {})).body)).toMatch(/A backup is being taken/);
  await backup.end();
  expect((await asked('POST', '/retention/orphans/remove', {})).status).toBe(200);
  expect(JSON.stringify((await asked('POST', '/retention/plan', {})).body)).toMatch(/rules is missing/);

  const client = grpcClient(RetentionServiceDefinition, `127.0.0.1:${running.grpcPort}`, credentials.createInsecure());
  const planned = await client.planRetention({ rules: { keepDays: 1, keepLastPerSchedule: 0, keepBestPerBenchmark: 0 } });
  client.close();
  expect(planned.digest).toBe((await plan()).digest);
});
