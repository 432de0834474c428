/** What the console calls: a function per rpc, typed by its proto, which knows its own name in the cache. */
import { CheckpointServiceDefinition } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { DatasetServiceDefinition } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { EvaluationServiceDefinition } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { RegistryServiceDefinition } from '@stic/api/gen/stic/registry/v1/registry.js';
import { RetentionServiceDefinition } from '@stic/api/gen/stic/retention/v1/retention.js';
import { RunServiceDefinition } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ScheduleServiceDefinition } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { TrainerServiceDefinition } from '@stic/api/gen/stic/trainers/v1/trainers.js';
import { WebhookServiceDefinition } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { httpClient } from '@stic/api/http.js';
import { type Client, type Rpc, rpcsOf, type Service } from '@stic/api/service.js';

/** How the cache calls what an rpc answers. */
export type Cached = {
  /** Begins the keys of all its answers. */
  readonly path: string;
  /** The key of the answer to a request. `version` is what the answer depends on beside the request. */
  readonly keyOf: (request: object, version?: unknown) => unknown[];
};

export type CachedClient<S extends Service> = { readonly [K in keyof Client<S>]: Client<S>[K] & Cached };

export const runs = cachedClient(RunServiceDefinition);
export const datasets = cachedClient(DatasetServiceDefinition);
export const checkpoints = cachedClient(CheckpointServiceDefinition);
export const evaluations = cachedClient(EvaluationServiceDefinition);
export const registry = cachedClient(RegistryServiceDefinition);
export const retention = cachedClient(RetentionServiceDefinition);
export const schedules = cachedClient(ScheduleServiceDefinition);
export const trainers = cachedClient(TrainerServiceDefinition);
export const webhooks = cachedClient(WebhookServiceDefinition);

function cachedClient<S extends Service>(service: S): CachedClient<S> {
  const calls = httpClient(service) as Record<string, object>;
  return Object.fromEntries(rpcsOf(service).map((rpc) => [rpc.key, Object.assign(calls[rpc.key] ?? {}, cached(rpc))])) as CachedClient<S>;
}

/** A request that leaves fields out has the key of one that sets them to their defaults. */
function cached({ grpcPath, method: { requestType } }: Rpc): Cached {
  return {
    path: grpcPath,
    keyOf: (request, version) => {
      const key = [grpcPath, requestType.toJSON(requestType.fromPartial(request))];
      return version === undefined ? key : [...key, version];
    },
  };
}
