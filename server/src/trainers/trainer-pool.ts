import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type EstimateRunResponse } from '@stic/api/gen/stic/common/v1/common.js';
import {
  type EstimateRunRequest,
  type ExportCheckpointEvent,
  type ExportCheckpointRequest,
  type GetInfoResponse,
  type ImportAdapterRequest,
  type ImportAdapterResponse,
  type ImportDatasetEvent,
  type ImportDatasetRequest,
  type InspectModelResponse,
  type JobEvent,
  type SubmitJobRequest,
} from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { DomainError } from '../platform/errors.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { monotonicMs, pause } from '../platform/timing.js';
import { TrainerClient } from './trainer.client.js';
import { fromTrainer } from './trainer.errors.js';
import { TrainerDirectory } from './trainer-directory.js';

const INFO_FRESH_MS = 2_000;
const COMING_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 250;

/** One trainer as it answered last. `info` is there when it is usable; otherwise `problem` says why not. */
export type TrainerStatus = { address: string; info?: GetInfoResponse; problem?: DomainError };

type Entry = { client: TrainerClient; status: TrainerStatus; checkedAt: number; checking: Promise<TrainerStatus> | undefined };

/** All trainers this server knows. Methods that take an address talk to that trainer, the others to a usable one. */
@Injectable()
export class TrainerPool implements OnApplicationShutdown {
  private readonly logger = new Logger('Trainers');
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly directory: TrainerDirectory,
    private readonly store: ArtifactStore,
  ) {}

  /** Every trainer with its health; answers at most 2 s old. */
  list(): Promise<TrainerStatus[]> {
    return Promise.all(this.directory.addresses().map((address) => this.check(address)));
  }

  /** Every trainer as it answered last, without waiting for one that is slow to answer; asks again in the background. */
  lastSeen(): TrainerStatus[] {
    return this.directory.addresses().map((address) => {
      void this.check(address);
      return this.entry(address).status;
    });
  }

  /**
   * The usable trainer with the most free capacity. UNAVAILABLE when none can be reached (try again), FAILED_PRECONDITION when
   * the only ones there are use another artifact store, RESOURCE_EXHAUSTED when `withCapacity` and all are full.
   */
  async pick(options: { withCapacity?: boolean } = {}): Promise<{ address: string; info: GetInfoResponse }> {
    const statuses = await this.list();
    const usable = statuses.flatMap(({ address, info }) => (info ? [{ address, info }] : []));
    const [best] = usable.sort((a, b) => free(b.info) - free(a.info));
    if (best === undefined) throw unusable(statuses);
    if (options.withCapacity === true && free(best.info) <= 0) {
      throw new DomainError('RESOURCE_EXHAUSTED', 'Every trainer is busy.');
    }
    return best;
  }

  /** Starts a job, or learns that it was started before. */
  async submitJob(address: string, request: SubmitJobRequest): Promise<{ created: boolean }> {
    const response = await this.usable(address).then((client) => client.submitJob(request));
    this.entry(address).checkedAt = -Infinity;
    return response;
  }

  /** Events with seq > afterSeq, read at the consumer's pace; ends after the terminal one or when the signal fires. */
  watchJob(address: string, jobId: string, afterSeq: bigint, signal: AbortSignal): AsyncIterable<JobEvent> {
    return this.entry(address).client.watchJob({ jobId, afterSeq }, signal);
  }

  cancelJob(address: string, jobId: string): Promise<void> {
    return this.entry(address).client.cancelJob({ jobId });
  }

  async inspectModel(path: string): Promise<InspectModelResponse> {
    const { address } = await this.pickComing();
    return this.entry(address).client.inspectModel(path);
  }

  async importAdapter(request: ImportAdapterRequest): Promise<ImportAdapterResponse> {
    const { address } = await this.pickComing();
    return this.entry(address).client.importAdapter(request);
  }

  async estimateRun(request: EstimateRunRequest): Promise<EstimateRunResponse> {
    const { address } = await this.pick();
    return this.entry(address).client.estimateRun(request);
  }

  async *importDataset(request: ImportDatasetRequest, signal: AbortSignal): AsyncIterable<ImportDatasetEvent> {
    const { address } = await this.pick();
    yield* this.entry(address).client.importDataset(request, signal);
  }

  async *exportCheckpoint(request: ExportCheckpointRequest, signal: AbortSignal): AsyncIterable<ExportCheckpointEvent> {
    const { address } = await this.pick();
    yield* this.entry(address).client.exportCheckpoint(request, signal);
  }

  /** As `pick`, but gives a trainer that is being started, or started again, the time to come up. */
  private async pickComing(): Promise<{ address: string; info: GetInfoResponse }> {
    const deadline = monotonicMs() + COMING_WITHIN_MS;
    for (;;) {
      try {
        return await this.pick();
      } catch (error) {
        if (!(error instanceof DomainError && error.code === 'UNAVAILABLE') || monotonicMs() > deadline) throw error;
        await pause(LOOK_AGAIN_MS);
      }
    }
  }

  onApplicationShutdown(): void {
    for (const { client } of this.entries.values()) client.close();
  }

  private async usable(address: string): Promise<TrainerClient> {
    const status = await this.check(address);
    if (status.info === undefined) throw unusable([status]);
    return this.entry(address).client;
  }

  private entry(address: string): Entry {
    const known = this.entries.get(address);
    if (known !== undefined) return known;
    const entry: Entry = { client: new TrainerClient(address), status: { address }, checkedAt: -Infinity, checking: undefined };
    this.entries.set(address, entry);
    return entry;
  }

  private check(address: string): Promise<TrainerStatus> {
    const entry = this.entry(address);
    if (monotonicMs() - entry.checkedAt < INFO_FRESH_MS) return Promise.resolve(entry.status);
    entry.checking ??= this.ask(entry).finally(() => (entry.checking = undefined));
    return entry.checking;
  }

  private async ask(entry: Entry): Promise<TrainerStatus> {
    const { address } = entry.client;
    const before = entry.status.problem?.message;
    try {
      const info = await entry.client.getInfo();
      entry.status = info.storeId === this.store.id ? { address, info } : { address, problem: this.wrongStore(address, info.storeId) };
    } catch (error) {
      entry.status = { address, problem: fromTrainer(error, address) };
    }
    entry.checkedAt = monotonicMs();
    const now = entry.status.problem?.message;
    if (now !== undefined && now !== before) this.logger.warn(now);
    return entry.status;
  }

  private wrongStore(address: string, theirs: string): DomainError {
    return new DomainError(
      'FAILED_PRECONDITION',
      `The trainer at ${address} uses another artifact store (${theirs}) than this server (${this.store.id} in ${this.store.root}).`,
      { hint: 'Start it with --store on the same folder, or set STIC_STORE.' },
    );
  }
}

const free = (info: GetInfoResponse): number => info.capacity - info.activeJobIds.length;

/** A trainer that may come back makes the whole pool UNAVAILABLE; otherwise the one problem is as it is. */
function unusable(statuses: TrainerStatus[]): DomainError {
  const problems = statuses.flatMap(({ problem }) => problem ?? []);
  const [first] = problems;
  if (first === undefined) return new DomainError('UNAVAILABLE', 'No trainer is running yet.');
  return problems.find(({ code }) => code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED') ?? first;
}
