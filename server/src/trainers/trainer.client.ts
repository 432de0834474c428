import { type CallOptions, type ClientReadableStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type CancelJobRequest,
  type EstimateRunRequest,
  type EstimateRunResponse,
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
  TrainerServiceClient,
  type WatchJobRequest,
} from '../gen/stic/trainer/v1/trainer.js';
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

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** One trainer over one channel. Every unary call has a deadline; errors are DomainErrors. */
export class TrainerClient {
  private readonly stub: TrainerServiceClient;

  constructor(readonly address: string) {
    this.stub = new TrainerServiceClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  getInfo(): Promise<GetInfoResponse> {
    return this.unary(this.stub.getInfo.bind(this.stub), {}, INFO_DEADLINE_MS);
  }

  inspectModel(path: string): Promise<InspectModelResponse> {
    return this.unary(this.stub.inspectModel.bind(this.stub), { path }, INSPECT_DEADLINE_MS);
  }

  importAdapter(request: ImportAdapterRequest): Promise<ImportAdapterResponse> {
    return this.unary(this.stub.importAdapter.bind(this.stub), request, INSPECT_DEADLINE_MS);
  }

  estimateRun(request: EstimateRunRequest): Promise<EstimateRunResponse> {
    return this.unary(this.stub.estimateRun.bind(this.stub), request, ESTIMATE_DEADLINE_MS);
  }

  submitJob(request: SubmitJobRequest): Promise<SubmitJobResponse> {
    return this.unary(this.stub.submitJob.bind(this.stub), request, UNARY_DEADLINE_MS);
  }

  async cancelJob(request: CancelJobRequest): Promise<void> {
    await this.unary(this.stub.cancelJob.bind(this.stub), request, UNARY_DEADLINE_MS);
  }

  /** The job's events after `afterSeq`, at the consumer's pace, until the terminal one, an error, or the signal. */
  watchJob(request: WatchJobRequest, signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
    return this.stream(() => this.stub.watchJob(request), signal);
  }

  importDataset(request: ImportDatasetRequest, signal: AbortSignal): AsyncGenerator<ImportDatasetEvent, void, undefined> {
    return this.stream(() => this.stub.importDataset(request), signal);
  }

  exportCheckpoint(request: ExportCheckpointRequest, signal: AbortSignal): AsyncGenerator<ExportCheckpointEvent, void, undefined> {
    return this.stream(() => this.stub.exportCheckpoint(request), signal);
  }

  close(): void {
    this.stub.close();
  }

  private unary<Request, Response>(method: Unary<Request, Response>, request: Request, deadlineMs: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      method(request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) => {
        if (error) reject(fromTrainer(error, this.address));
        else resolve(response);
      });
    });
  }

  private async *stream<Message>(open: () => ClientReadableStream<Message>, signal: AbortSignal): AsyncGenerator<Message, void, undefined> {
    const stopped = (): boolean => signal.aborted;
    if (stopped()) return;
    const call = open();
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call as AsyncIterable<Message>) yield message;
    } catch (error) {
      if (!stopped()) throw fromTrainer(error, this.address);
    } finally {
      signal.removeEventListener('abort', cancel);
      // Breaking out of the loop destroys the readable; the call itself has to be told. A late error would be unhandled.
      call.on('error', () => undefined);
      call.cancel();
    }
  }
}
