// What the server relies on when it talks to a trainer: a real sidecar and real workers behind the server's own client.
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { StageKind, type Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ArtifactKind, DatasetKind, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { type ImportDatasetEvent, type JobEvent, type JobInput, SubmitJobRequest } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { loadPresets } from '../../server/src/recipe/presets.js';
import { loadConfig } from '../../server/src/platform/config/config.js';
import { DomainError, type ErrorCode } from '../../server/src/platform/errors.js';
import { ArtifactStore } from '../../server/src/platform/storage/artifact-store.js';
import { LocalSidecar } from '../../server/src/trainers/index.js';
import { TrainerClient } from '../../server/src/trainers/trainer.client.js';
import { ensure, rejection } from '../support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-c-'));
const { paths } = loadConfig({});
const never = new AbortController().signal;
let store: ArtifactStore;
let sidecar: LocalSidecar;
let pid: number;
let trainer: TrainerClient;
let recipe: Recipe;

beforeAll(async () => {
  store = await ArtifactStore.open(path.join(folder, 'store'));
  sidecar = new LocalSidecar({ state: folder, store: store.root, paths, dataRoots: [] }, store.id);
  pid = await sidecar.start();
  trainer = new TrainerClient(sidecar.addresses()[0] ?? '');
  const tiny = loadPresets(paths.recipes, paths.prompts).get('tiny')?.recipe;
  ensure(tiny);
  // As the server sends it: when to try again is not the trainer's business.
  recipe = { ...tiny, retry: undefined };
});
afterAll(async () => {
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
  const error = await rejection(call, DomainError);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.reason).toBe(reason);
}

test('GetInfo: who the trainer is, with numbers as they are typed and the store it shares with the server', async () => {
  const info = await trainer.getInfo();
  expect(info.storeId).toBe(store.id);
  expect(info.name).toBe(os.hostname());
  expect(info.capacity).toBe(1);
  expect(info.activeJobIds).toStrictEqual([]);
  expect(typeof info.memoryBytes).toBe('bigint');
  expect(info.memoryBytes).toBeGreaterThan(1n << 28n);
  expect(info.cpuCount).toBeGreaterThanOrEqual(1);
  expect(['python', 'torch', 'transformers', 'peft', 'pillow'].filter((name) => !info.versions[name])).toStrictEqual([]);
});

test('InspectModel: the model as the recipe holds it; another architecture is refused by name and code', async () => {
  const { model, parameters, bytes } = await trainer.inspectModel('embedded:world');
  ensure(model);
  expect(model.architecture).toBe('LlavaForConditionalGeneration');
  expect(`${model.digest} ${model.templateHash}`).toMatch(/^[0-9a-f]{64} [0-9a-f]{64}$/);
  ensure(typeof parameters === 'bigint');
  expect(parameters).toBeGreaterThan(100_000n);
  expect(bytes).toBeGreaterThan(parameters);

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
  expect(await trainer.submitJob(request)).toStrictEqual({ created: true });
  const events = await watch('whole');

  expect(events.map(({ seq }) => seq)).toStrictEqual(events.map((_, index) => BigInt(index + 1)));
  expect(events.filter(({ at }) => !(at instanceof Date && Math.abs(at.getTime() - before) < 60_000))).toStrictEqual([]);
  expect(statesIn(events)).toStrictEqual([JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_SUCCEEDED]);
  expect(events.at(-1)?.event?.$case).toBe('state');
  const running = events.flatMap(({ event }) => (event?.$case === 'state' ? [event.value] : [])).filter(({ facts }) => 'pid' in facts);
  expect(running[0]?.facts['pid'] ?? '').toMatch(/^\d+$/);
  const progress = events.flatMap(({ event }) => (event?.$case === 'progress' ? [event.value] : [])).at(-1);
  expect(progress).toStrictEqual({ unit: 'rows', done: 2, total: 2, etaSeconds: 0, phase: 'infusing descriptions' });

  const artifacts = events.flatMap(({ event }) => (event?.$case === 'artifact' ? [event.value] : []));
  expect(artifacts).toHaveLength(1);
  const [artifact] = artifacts;
  ensure(artifact);
  const { sha256, bytes, ...rest } = artifact;
  expect(rest).toStrictEqual({
    name: 'infused',
    kind: ArtifactKind.ARTIFACT_KIND_BLOB,
    mediaType: 'application/jsonl',
    items: 2,
    metadata: { template_hash: 'as it came' },
  });
  expect(await store.hasBlob(sha256)).toBe(true);
  expect(typeof bytes).toBe('bigint');
  expect(bytes).toBeGreaterThan(0n);
});

test('SubmitJob is idempotent by id, over the wire as well: the same again is one job, other content is refused', async () => {
  const request = await infuse('twice');
  expect(await trainer.submitJob(request)).toStrictEqual({ created: true });
  const events = await watch('twice');
  const stored = SubmitJobRequest.decode(SubmitJobRequest.encode(request).finish());
  expect(await trainer.submitJob(stored)).toStrictEqual({ created: false });
  await refused(trainer.submitJob({ ...request, runId: 'another' }), 'ALREADY_EXISTS', /job twice exists with another content/);
  expect(await watch('twice')).toStrictEqual(events);
});

test('WatchJob goes on after any seq, also one that only a bigint holds, and an unknown job is NOT_FOUND', async () => {
  await trainer.submitJob(await infuse('watched'));
  const events = await watch('watched');
  for (const { seq } of events) expect(await watch('watched', seq)).toStrictEqual(events.slice(Number(seq)));
  expect(await watch('watched', 2n ** 62n)).toStrictEqual([]);
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
  expect(seen).toStrictEqual([1n]);
  expect(await all(trainer.watchJob({ jobId: 'left', afterSeq: 0n }, leaving.signal))).toStrictEqual([]);
  for await (const { seq } of trainer.watchJob({ jobId: 'left', afterSeq: 1n }, never)) {
    expect(seq).toBe(2n);
    break;
  }
  expect(statesIn(await watch('left')).at(-1)).toBe(JobState.JOB_STATE_SUCCEEDED);
});

test('CancelJob ends waiting and running jobs, once and for all, and leaves an ended one alone', async () => {
  const rows = Array.from({ length: 60_000 }, (_, index) => textRow(`row ${index}`));
  await trainer.submitJob(await infuse('running', rows));
  await trainer.submitJob(await infuse('waiting'));
  for await (const { event } of trainer.watchJob({ jobId: 'running', afterSeq: 0n }, never)) {
    if (event?.$case === 'progress') break;
  }
  expect((await trainer.getInfo()).activeJobIds).toStrictEqual(['running', 'waiting']);
  for (const jobId of ['waiting', 'running', 'running']) await trainer.cancelJob({ jobId });
  const { JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_CANCELLED } = JobState;
  expect(statesIn(await watch('waiting'))).toStrictEqual([JOB_STATE_QUEUED, JOB_STATE_CANCELLED]);
  const events = await watch('running');
  expect(statesIn(events)).toStrictEqual([JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_CANCELLED]);
  await trainer.cancelJob({ jobId: 'running' });
  expect(await watch('running')).toStrictEqual(events);
});

test('a failure is an error with code, subject and words; a skipped row is an event of its own', async () => {
  const request = await infuse('failing', [{ ...textRow('x'), conversations: [{ from: 'human', value: 'No answer?' }] }]);
  await trainer.submitJob(request);
  const events = await watch('failing');
  const skipped = events.flatMap(({ event }) => (event?.$case === 'skipped' ? [event.value] : []));
  expect(skipped).toStrictEqual([{ name: 'x', code: 'ROW_INVALID', reason: "no assistant's turn to learn from" }]);
  const last = events.at(-1)?.event;
  ensure(last?.$case === 'state');
  expect(last.value.state).toBe(JobState.JOB_STATE_FAILED);
  expect(last.value.error).toStrictEqual({
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

  expect(events[0]?.event?.$case).toBe('progress');
  const problems = events.flatMap(({ event }) => (event?.$case === 'problem' ? [event.value] : []));
  expect(problems).toStrictEqual([{ name: 'empty.jpg', code: 'EMPTY_FILE', reason: 'the file has no bytes' }]);
  const last = events.at(-1)?.event;
  ensure(last?.$case === 'result');
  const { manifestSha256, ...counts } = last.value;
  const bytes = BigInt(Buffer.from(onePixel, 'base64').length);
  expect(counts).toStrictEqual({ items: 1, skipped: 1, bytes, benchmark: '', duplicates: 0, repeats: 0 });
  expect(await store.hasBlob(manifestSha256)).toBe(true);

  const missing = { ...request, source: path.join(folder, 'nowhere') };
  await refused(all(trainer.importDataset(missing, never)), 'INVALID_ARGUMENT', /nowhere: no such folder/, 'DATA_INVALID');
});

test('a trainer that is not there is UNAVAILABLE, in words that name its address', async () => {
  const nobody = new TrainerClient('127.0.0.1:1');
  await refused(nobody.getInfo(), 'UNAVAILABLE', /The trainer at 127\.0\.0\.1:1 cannot be reached/);
  nobody.close();
});
