/** A typed gRPC client of a service, for Node. */
import {
  Client as Channel,
  type ChannelCredentials,
  type ChannelOptions,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { type CallOptions, type Client, type Rpc, rpcsOf, type Service } from './service.js';

export type GrpcOptions = {
  channel?: ChannelOptions;
  /** Of every unary call that names no other. Default 30 s. */
  deadlineMs?: number;
  /** What a call throws in place of grpc-js' error. */
  mapError?: (error: ServiceError) => Error;
  /** Sent with every call. */
  metadata?: Record<string, string>;
};

const DEFAULT_DEADLINE_MS = 30_000;

export type GrpcClient<S extends Service> = Client<S> & { close(): void };

/** Connects when first used. Unary calls have a deadline; a stream is read at the consumer's pace and cancelled when left. */
export function grpcClient<S extends Service>(
  service: S,
  address: string,
  credentials: ChannelCredentials,
  options: GrpcOptions = {},
): GrpcClient<S> {
  const channel = new Channel(address, credentials, options.channel);
  const calls = rpcsOf(service).map((rpc) => [
    rpc.key,
    rpc.method.responseStream ? stream(channel, rpc, options) : unary(channel, rpc, options),
  ]);
  return { ...Object.fromEntries(calls), close: () => channel.close() } as GrpcClient<S>;
}

/** How grpc-js carries an rpc. */
export function grpcDefinition({ grpcPath, method }: Rpc): MethodDefinition<object, object> {
  const { requestType, responseType } = method;
  return {
    path: grpcPath,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    requestSerialize: (message) => Buffer.from(requestType.encode(message).finish()),
    requestDeserialize: (bytes) => requestType.decode(bytes),
    responseSerialize: (message) => Buffer.from(responseType.encode(message).finish()),
    responseDeserialize: (bytes) => responseType.decode(bytes),
  };
}

const metadataOf = (entries: Record<string, string> = {}): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
};

const deadlineOf = (ms: number | undefined) => (ms === undefined ? {} : { deadline: Date.now() + ms });

function unary(channel: Channel, rpc: Rpc, { deadlineMs = DEFAULT_DEADLINE_MS, mapError = (error) => error, metadata }: GrpcOptions) {
  const { path, requestSerialize, responseDeserialize } = grpcDefinition(rpc);
  const { requestType } = rpc.method;
  return (request: object, { signal, ...options }: CallOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const call = channel.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        requestType.fromPartial(request),
        metadataOf(metadata),
        deadlineOf(options.deadlineMs ?? deadlineMs),
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (error) reject(mapError(error));
          else resolve(response);
        },
      );
      const cancel = (): void => call.cancel();
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
}

function stream(channel: Channel, rpc: Rpc, { mapError = (error) => error, metadata }: GrpcOptions) {
  const { path, requestSerialize, responseDeserialize } = grpcDefinition(rpc);
  const { requestType } = rpc.method;
  return async function* (request: object, { signal, deadlineMs }: CallOptions = {}): AsyncGenerator<unknown, void, undefined> {
    if (signal?.aborted) return;
    const call = channel.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      requestType.fromPartial(request),
      metadataOf(metadata),
      deadlineOf(deadlineMs),
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call as AsyncIterable<unknown>) yield message;
    } catch (error) {
      if (!signal?.aborted) throw mapError(error as ServiceError);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // Breaking out of the loop destroys the readable; the call itself has to be told. A late error would be unhandled.
      call.on('error', () => undefined);
      call.cancel();
    }
  };
}
