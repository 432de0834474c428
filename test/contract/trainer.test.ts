// What the server relies on when it talks to a trainer: a real sidecar and real workers behind the server's own client.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { StageKind, type Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactKind, DatasetKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { type ImportDatasetEvent, type JobEvent, type JobInput, SubmitJobRequest } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { loadPresets } from '../../server/src/recipe/presets.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { DomainError, type ErrorCode } from '../../server/src/platform/errors.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import { LocalSidecar } from '../../server/src/trainers/index.js';
import { TrainerClient } from '../../server/src/trainers/trainer.client.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-c-'));
const { paths } = loadConfig({});
const never = new AbortController().signal;
let store: ArtifactStore;
let sidecar: LocalSidecar;
let pid: number;
let trainer: TrainerClient;
let recipe: Recipe;

before(async () => {
  store = await ArtifactStore.open(path.join(folder, 'store'));
  sidecar = new LocalSidecar({ state: folder, store: store.root, paths, dataRoots: [] }, store.id);
  pid = await sidecar.start();
  trainer = new TrainerClient(sidecar.addresses()[0] ?? '');
  const tiny = loadPresets(paths.recipes, paths.prompts).get('tiny')?.recipe;
  assert.ok(tiny);
  // As the server sends it: when to try again is not the trainer's business.
  recipe = { ...tiny, retry: undefined };
});
after(async () => {
  trainer.close();
  await sidecar.stop(pid);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A job of the stage that needs no model, on rows without images. */
async function infuse(jobId: string, rows: object[] = [textRow('one'), textRow('two')]): Promise<SubmitJobRequest> {
  const blob = async (role: string, lines: object[]): Promise<JobInput> => ({
    role,
    name: '',
    sha256: await store.putBlob(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
    kind: ArtifactKind.ARTIFACT_KIND_BLOB,
    metadata: { template_hash: 'as it came' },
  });
  return {
    jobId,
    runId: 'run',
    kind: StageKind.STAGE_KIND_INFUSE,
    recipe,
    inputs: [await blob('instructions', rows), await blob('descriptions', [])],
    resumeFromJobId: '',
  };
}

const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

const textRow = (name: string): object => ({
  name,
  conversations: [
    { from: 'human', value: 'How many?' },
    { from: 'gpt', value: 'Two.' },
  ],
  image: null,
});

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

const watch = (jobId: string, afterSeq = 0n): Promise<JobEvent[]> => all(trainer.watchJob({ jobId, afterSeq }, never));

const statesIn = (events: JobEvent[]): JobState[] =>
  events
    .flatMap(({ event }) => (event?.$case === 'state' ? [event.value.state] : []))
    .filter((state, index, list) => state !== list[index - 1]);

async function refused(call: Promise<unknown>, code: ErrorCode, message: RegExp, reason?: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(error.reason, reason);
    return true;
  });
}

test('GetInfo: who the trainer is, with numbers as they are typed and the store it shares with the server', async () => {
  const info = await trainer.getInfo();
  assert.equal(info.storeId, store.id);
  assert.equal(info.name, os.hostname());
  assert.equal(info.capacity, 1);
  assert.deepEqual(info.activeJobIds, []);
  assert.equal(typeof info.memoryBytes, 'bigint');
  assert.ok(info.memoryBytes > 1n << 28n && info.cpuCount >= 1);
  assert.ok(['python', 'torch', 'transformers', 'peft', 'pillow'].every((name) => info.versions[name]));
});

test('InspectModel: the model as the recipe holds it; another architecture is refused by name and code', async () => {
  const { model, parameters, bytes } = await trainer.inspectModel('embedded:world');
  assert.equal(model?.architecture, 'LlavaForConditionalGeneration');
  assert.match(`${model.digest} ${model.templateHash}`, /^[0-9a-f]{64} [0-9a-f]{64}$/);
  assert.ok(typeof parameters === 'bigint' && parameters > 100_000n && bytes > parameters);

  const other = path.join(folder, 'gpt2');
  await mkdir(other);
  await writeFile(path.join(other, 'config.json'), JSON.stringify({ architectures: ['GPT2LMHeadModel'] }));
  await refused(trainer.inspectModel(other), 'INVALID_ARGUMENT', /the architecture GPT2LMHeadModel is not supported/, 'MODEL_UNSUPPORTED');
  await refused(
    trainer.inspectModel(path.join(folder, 'none')),
    'INVALID_ARGUMENT',
    /no such folder on the trainer's machine/,
    'MODEL_INVALID',
  );
});

test('a job: its events are numbered from 1, carry times, enums by name and one content each, and end with the last state', async () => {
  const request = await infuse('whole');
  const before = Date.now();
  assert.deepEqual(await trainer.submitJob(request), { created: true });
  const events = await watch('whole');

  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => BigInt(index + 1)),
  );
  assert.ok(events.every(({ at }) => at instanceof Date && Math.abs(at.getTime() - before) < 60_000));
  assert.deepEqual(statesIn(events), [JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_SUCCEEDED]);
  assert.equal(events.at(-1)?.event?.$case, 'state');
  const running = events.flatMap(({ event }) => (event?.$case === 'state' ? [event.value] : [])).filter(({ facts }) => 'pid' in facts);
  assert.match(running[0]?.facts['pid'] ?? '', /^\d+$/);
  const progress = events.flatMap(({ event }) => (event?.$case === 'progress' ? [event.value] : [])).at(-1);
  assert.deepEqual(progress, { unit: 'rows', done: 2, total: 2, etaSeconds: 0, phase: 'infusing descriptions' });

  const artifacts = events.flatMap(({ event }) => (event?.$case === 'artifact' ? [event.value] : []));
  assert.equal(artifacts.length, 1);
  const [artifact] = artifacts;
  assert.ok(artifact);
  const { sha256, bytes, ...rest } = artifact;
  assert.deepEqual(rest, {
    name: 'infused',
    kind: ArtifactKind.ARTIFACT_KIND_BLOB,
    mediaType: 'application/jsonl',
    items: 2,
    metadata: { template_hash: 'as it came' },
  });
  assert.ok(await store.hasBlob(sha256));
  assert.equal(typeof bytes, 'bigint');
  assert.ok(bytes > 0n);
});

test('SubmitJob is idempotent by id, over the wire as well: the same again is one job, other content is refused', async () => {
  const request = await infuse('twice');
  assert.deepEqual(await trainer.submitJob(request), { created: true });
  const events = await watch('twice');
  const stored = SubmitJobRequest.decode(SubmitJobRequest.encode(request).finish());
  assert.deepEqual(await trainer.submitJob(stored), { created: false });
  await refused(trainer.submitJob({ ...request, runId: 'another' }), 'ALREADY_EXISTS', /job twice exists with another content/);
  assert.deepEqual(await watch('twice'), events);
});

test('WatchJob goes on after any seq, also one that only a bigint holds, and an unknown job is NOT_FOUND', async () => {
  await trainer.submitJob(await infuse('watched'));
  const events = await watch('watched');
  for (const { seq } of events) assert.deepEqual(await watch('watched', seq), events.slice(Number(seq)));
  assert.deepEqual(await watch('watched', 2n ** 62n), []);
  await refused(watch('unknown'), 'NOT_FOUND', /this trainer has no job 'unknown'/);
  await refused(trainer.cancelJob({ jobId: 'unknown' }), 'NOT_FOUND', /this trainer has no job 'unknown'/);
});

test('a watch ends at once when the server lets go of it, in the middle or before it began', async () => {
  await trainer.submitJob(await infuse('left'));
  const leaving = new AbortController();
  const seen: bigint[] = [];
  for await (const { seq } of trainer.watchJob({ jobId: 'left', afterSeq: 0n }, leaving.signal)) {
    seen.push(seq);
    leaving.abort();
  }
  assert.deepEqual(seen, [1n]);
  assert.deepEqual(await all(trainer.watchJob({ jobId: 'left', afterSeq: 0n }, leaving.signal)), []);
  for await (const { seq } of trainer.watchJob({ jobId: 'left', afterSeq: 1n }, never)) {
    assert.equal(seq, 2n);
    break;
  }
  assert.equal(statesIn(await watch('left')).at(-1), JobState.JOB_STATE_SUCCEEDED);
});

test('CancelJob ends waiting and running jobs, once and for all, and leaves an ended one alone', async () => {
  const rows = Array.from({ length: 60_000 }, (_, index) => textRow(`row ${index}`));
  await trainer.submitJob(await infuse('running', rows));
  await trainer.submitJob(await infuse('waiting'));
  for await (const { event } of trainer.watchJob({ jobId: 'running', afterSeq: 0n }, never)) {
    if (event?.$case === 'progress') break;
  }
  assert.deepEqual((await trainer.getInfo()).activeJobIds, ['running', 'waiting']);
  for (const jobId of ['waiting', 'running', 'running']) await trainer.cancelJob({ jobId });
  const { JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_CANCELLED } = JobState;
  assert.deepEqual(statesIn(await watch('waiting')), [JOB_STATE_QUEUED, JOB_STATE_CANCELLED]);
  const events = await watch('running');
  assert.deepEqual(statesIn(events), [JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_CANCELLED]);
  await trainer.cancelJob({ jobId: 'running' });
  assert.deepEqual(await watch('running'), events);
});

test('a failure is an error with code, subject and words; a skipped row is an event of its own', async () => {
  const request = await infuse('failing', [{ ...textRow('x'), conversations: [{ from: 'human', value: 'No answer?' }] }]);
  await trainer.submitJob(request);
  const events = await watch('failing');
  const skipped = events.flatMap(({ event }) => (event?.$case === 'skipped' ? [event.value] : []));
  assert.deepEqual(skipped, [{ name: 'x', code: 'ROW_INVALID', reason: "no assistant's turn to learn from" }]);
  const last = events.at(-1)?.event;
  assert.ok(last?.$case === 'state' && last.value.state === JobState.JOB_STATE_FAILED);
  assert.deepEqual(last.value.error, {
    code: 'DATA_INVALID',
    message: 'no row is left',
    subject: 'instructions',
    hint: 'look at the skipped items for the reasons',
    transient: false,
  });
});

test('ImportDataset: progress, each problem, and the result last; a source that is none is refused with its reason', async () => {
  const source = path.join(folder, 'images');
  await mkdir(source);
  await writeFile(path.join(source, 'one.png'), Buffer.from(onePixel, 'base64'));
  await writeFile(path.join(source, 'empty.jpg'), '');
  const request = { kind: DatasetKind.DATASET_KIND_IMAGES, source, imageRoot: '', imageList: '' };
  const events: ImportDatasetEvent[] = await all(trainer.importDataset(request, never));

  assert.equal(events[0]?.event?.$case, 'progress');
  const problems = events.flatMap(({ event }) => (event?.$case === 'problem' ? [event.value] : []));
  assert.deepEqual(problems, [{ name: 'empty.jpg', code: 'EMPTY_FILE', reason: 'the file has no bytes' }]);
  const last = events.at(-1)?.event;
  assert.ok(last?.$case === 'result');
  const { manifestSha256, ...counts } = last.value;
  const bytes = BigInt(Buffer.from(onePixel, 'base64').length);
  assert.deepEqual(counts, { items: 1, skipped: 1, bytes, benchmark: '', duplicates: 0, repeats: 0 });
  assert.ok(await store.hasBlob(manifestSha256));

  const missing = { ...request, source: path.join(folder, 'nowhere') };
  await refused(all(trainer.importDataset(missing, never)), 'INVALID_ARGUMENT', /nowhere: no such folder/, 'DATA_INVALID');
});

test('a trainer that is not there is UNAVAILABLE, in words that name its address', async () => {
  const nobody = new TrainerClient('127.0.0.1:1');
  await refused(nobody.getInfo(), 'UNAVAILABLE', /The trainer at 127\.0\.0\.1:1 cannot be reached/);
  nobody.close();
});
