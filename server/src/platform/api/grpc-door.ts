import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { Codec } from '@stic/api/service.js';
import { ACTOR_HEADER, asCaller, currentRequestId, REQUEST_ID_HEADER } from '../caller.js';
import { CONFIG, type Config } from '../config/config.js';
import { DomainError } from '../errors.js';
import { authority, GRPC, listenFault } from '../transport/addresses.js';
import { toGrpcError } from '../transport/grpc-errors.js';
import { descriptorBytes } from './descriptors.js';
import { GrpcHealth } from './grpc-health.js';
import { ApiRouter, type Route } from './router.js';
import { encodedOnce, pump } from './stream.js';

/** Calls watchers hold open count as well; beyond it a peer is asked to wait. */
const OPTIONS = {
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.keepalive_permit_without_calls': 1,
};

type Request = Pick<ServerUnaryCall<Buffer, Buffer>, 'request' | 'metadata' | 'getPeer' | 'sendMetadata'>;

/** Serves every rpc over gRPC, with reflection and health. */
@Injectable()
export class GrpcDoor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Grpc');
  private readonly server = new Server(OPTIONS);
  private bound = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly api: ApiRouter,
    private readonly health: GrpcHealth,
  ) {}

  /** The port in use, once listening. */
  get port(): number {
    return this.bound;
  }

  async onApplicationBootstrap(): Promise<void> {
    const routes = this.api.routes();
    const services = [...new Set(routes.map(({ rpc }) => rpc.service.fullName))];
    for (const name of services)
      addService(
        this.server,
        routes.filter(({ rpc }) => rpc.service.fullName === name),
      );
    new ReflectionService(loadFileDescriptorSetFromBuffer(descriptorBytes), { services }).addToServer(this.server);
    this.health.addTo(this.server, services);
    const { host, grpcPort } = this.config;
    this.bound = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(authority(host, grpcPort), ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(listenFault(error, host, grpcPort, GRPC));
        else resolve(port);
      });
    });
    this.logger.log(`gRPC on ${authority(host, this.bound)}`);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.health.stop();
    const closed = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    const forced = setTimeout(() => this.server.forceShutdown(), 1_000);
    await closed;
    clearTimeout(forced);
  }
}

function addService(server: Server, routes: Route[]): void {
  const definition = Object.fromEntries(routes.map(({ rpc }) => [rpc.key, rawDefinition(rpc.grpcPath, rpc.method.responseStream)]));
  const handlers = Object.fromEntries(routes.map((route) => [route.rpc.key, handlerOf(route)]));
  server.addService(definition, handlers);
}

const raw = (bytes: Buffer): Buffer => bytes;

/** Messages pass as bytes: what cannot be decoded is the caller's fault, and what many are sent is encoded once. */
const rawDefinition = (path: string, responseStream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});

function handlerOf({ rpc, call }: Route): UntypedHandleCall {
  const { requestType, responseType } = rpc.method;
  const encode = encodedOnce((message) => Buffer.from(responseType.encode(message).finish()));
  const answer = (request: Request, signal: AbortSignal): Promise<unknown> =>
    inCallersName(request, async () => call(decode(requestType, request.request), signal));

  const unary: handleUnaryCall<Buffer, Buffer> = (request, callback) => {
    answer(request, new AbortController().signal).then(
      (message) => callback(null, encode(message as object)),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
  const stream: handleServerStreamingCall<Buffer, Buffer> = (sink) => {
    const gone = new AbortController();
    sink.on('cancelled', () => gone.abort());
    sendAll(sink, () => answer(sink, gone.signal) as Promise<AsyncIterable<object>>, encode, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) sink.emit('error', toGrpcError(error));
    });
  };
  return rpc.method.responseStream ? stream : unary;
}

async function sendAll(
  sink: ServerWritableStream<Buffer, Buffer>,
  open: () => Promise<AsyncIterable<object>>,
  encode: (message: object) => Buffer,
  signal: AbortSignal,
): Promise<void> {
  await pump(await open(), sink, (message) => sink.write(encode(message)), signal);
  sink.end();
}

/** The work in the caller's name; the request's id goes back before the answer does. */
function inCallersName<T>(request: Request, work: () => T): T {
  const [claimed] = request.metadata.get(ACTOR_HEADER);
  const [requestId] = request.metadata.get(REQUEST_ID_HEADER);
  return asCaller({ claimed: claimed?.toString(), from: `gRPC ${request.getPeer()}`, requestId: requestId?.toString() }, () => {
    const metadata = new Metadata();
    metadata.set(REQUEST_ID_HEADER, currentRequestId() ?? '');
    request.sendMetadata(metadata);
    return work();
  });
}

function decode(codec: Codec<object>, bytes: Buffer): object {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', 'The request cannot be decoded as its message.', { cause: error });
  }
}
