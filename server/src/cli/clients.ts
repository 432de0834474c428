import { createHash, randomUUID } from 'node:crypto';
import { credentials } from '@grpc/grpc-js';
import { CheckpointServiceDefinition } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { DatasetServiceDefinition } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { EvaluationServiceDefinition } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { RunServiceDefinition } from '@stic/api/gen/stic/runs/v1/runs.js';
import { type GrpcClient, grpcClient } from '@stic/api/grpc.js';
import type { Service } from '@stic/api/service.js';
import { DIRECT } from '../platform/transport/grpc-channel.js';
import { fromService } from './cli-error.js';

export type Clients = {
  datasets: GrpcClient<typeof DatasetServiceDefinition>;
  runs: GrpcClient<typeof RunServiceDefinition>;
  checkpoints: GrpcClient<typeof CheckpointServiceDefinition>;
  evaluations: GrpcClient<typeof EvaluationServiceDefinition>;
};

/** Validating a run measures it on the trainer, which may read a model first. */
const DEADLINE_MS = 300_000;

/** Clients of the public services at host:port; the server's refusals become CliErrors. */
export function connect(address: string): Clients {
  const client = <S extends Service>(service: S): GrpcClient<S> =>
    grpcClient(service, address, credentials.createInsecure(), { channel: DIRECT, deadlineMs: DEADLINE_MS, mapError: fromService });
  return {
    datasets: client(DatasetServiceDefinition),
    runs: client(RunServiceDefinition),
    checkpoints: client(CheckpointServiceDefinition),
    evaluations: client(EvaluationServiceDefinition),
  };
}

export function disconnect(clients: Clients): void {
  for (const client of Object.values(clients)) client.close();
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
