import { credentials, type ServiceError } from '@grpc/grpc-js';
import { type GrpcClient, grpcClient } from '@stic/api/grpc.js';
import type { EstimateRunResponse } from '@stic/api/gen/stic/common/v1/common.js';
import {
  type CancelJobRequest,
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
  type SubmitJobResponse,
  TrainerServiceDefinition,
  type WatchJobRequest,
} from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { DIRECT } from '../platform/transport/grpc-channel.js';
import { fromTrainer } from './trainer.errors.js';

const UNARY_DEADLINE_MS = 10_000;
const INFO_DEADLINE_MS = 3_000;
/** Digesting a model of several gigabytes takes a while on a cold disk. */
const INSPECT_DEADLINE_MS = 300_000;

/** Loading a model's processor and counting the tokens of two thousand rows. */
const ESTIMATE_DEADLINE_MS = 130_000;

const CHANNEL_OPTIONS = {
  ...DIRECT,
  // A frozen peer is noticed within ten seconds of silence.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 0,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 3_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
};

/** One trainer over one channel. Every unary call has a deadline; errors are DomainErrors. */
export class TrainerClient {
  private readonly stub: GrpcClient<typeof TrainerServiceDefinition>;

  constructor(readonly address: string) {
    this.stub = grpcClient(TrainerServiceDefinition, address, credentials.createInsecure(), {
      channel: CHANNEL_OPTIONS,
      deadlineMs: UNARY_DEADLINE_MS,
      mapError: (error: ServiceError) => fromTrainer(error, address),
    });
  }

  getInfo(): Promise<GetInfoResponse> {
    return this.stub.getInfo({}, { deadlineMs: INFO_DEADLINE_MS });
  }

  inspectModel(path: string): Promise<InspectModelResponse> {
    return this.stub.inspectModel({ path }, { deadlineMs: INSPECT_DEADLINE_MS });
  }

  importAdapter(request: ImportAdapterRequest): Promise<ImportAdapterResponse> {
    return this.stub.importAdapter(request, { deadlineMs: INSPECT_DEADLINE_MS });
  }

  estimateRun(request: EstimateRunRequest): Promise<EstimateRunResponse> {
    return this.stub.estimateRun(request, { deadlineMs: ESTIMATE_DEADLINE_MS });
  }

  submitJob(request: SubmitJobRequest): Promise<SubmitJobResponse> {
    return this.stub.submitJob(request);
  }

  async cancelJob(request: CancelJobRequest): Promise<void> {
    await this.stub.cancelJob(request);
  }

  /** The job's events after `afterSeq`, at the consumer's pace, until the terminal one, an error, or the signal. */
  watchJob(request: WatchJobRequest, signal: AbortSignal): AsyncIterable<JobEvent> {
    return this.stub.watchJob(request, { signal });
  }

  importDataset(request: ImportDatasetRequest, signal: AbortSignal): AsyncIterable<ImportDatasetEvent> {
    return this.stub.importDataset(request, { signal });
  }

  exportCheckpoint(request: ExportCheckpointRequest, signal: AbortSignal): AsyncIterable<ExportCheckpointEvent> {
    return this.stub.exportCheckpoint(request, { signal });
  }

  close(): void {
    this.stub.close();
  }
}
