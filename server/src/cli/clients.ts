import { randomUUID, createHash } from 'node:crypto';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { CheckpointServiceClient } from '../gen/stic/checkpoints/v1/checkpoints.js';
import { DatasetServiceClient } from '../gen/stic/datasets/v1/datasets.js';
import { EvaluationServiceClient } from '../gen/stic/evaluations/v1/evaluations.js';
import { RunServiceClient } from '../gen/stic/runs/v1/runs.js';
import { DIRECT } from '../platform/transport/grpc-channel.js';
import { fromService } from './cli-error.js';

export type Clients = {
  datasets: DatasetServiceClient;
  runs: RunServiceClient;
  checkpoints: CheckpointServiceClient;
  evaluations: EvaluationServiceClient;
};

/** Clients of the public services at host:port. */
export function connect(address: string): Clients {
  const open = credentials.createInsecure();
  return {
    datasets: new DatasetServiceClient(address, open, DIRECT),
    runs: new RunServiceClient(address, open, DIRECT),
    checkpoints: new CheckpointServiceClient(address, open, DIRECT),
    evaluations: new EvaluationServiceClient(address, open, DIRECT),
  };
}

export function disconnect(clients: Clients): void {
  for (const client of Object.values(clients)) client.close();
}

type Done<Response> = (error: ServiceError | null, response: Response) => void;

/** One call as a promise; the server's refusal becomes a CliError. */
export function call<Response>(invoke: (done: Done<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    invoke((error, response) => (error ? reject(fromService(error)) : resolve(response)));
  });
}

/** A stream's messages; its error becomes a CliError too. */
export async function* watch<Message>(stream: AsyncIterable<Message>): AsyncGenerator<Message, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    throw error instanceof Error && 'metadata' in error ? fromService(error as ServiceError) : error;
  }
}

/** All items of a listing, page after page. */
export async function pages<Item>(page: (token: string) => Promise<[Item[], string]>): Promise<Item[]> {
  const all: Item[] = [];
  for (let token = ''; ;) {
    const [items, next] = await page(token);
    all.push(...items);
    if (next === '') return all;
    token = next;
  }
}

export const newRequestId = (): string => randomUUID();

/** The same id for the same parts, in the form of a UUID: a repeated demo finds what it made before. */
export function requestIdFor(...parts: string[]): string {
  const hex = createHash('sha256').update(parts.join('\0')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
