import { once } from 'node:events';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ACTOR_HEADER, asCaller } from '../caller.js';
import { CONFIG, type Config } from '../config/config.js';
import { authority, GRPC, listenFault } from './addresses.js';
import { healthImplementation, HealthService } from './grpc-health.js';
import { toGrpcError } from './grpc-errors.js';

/** A unary method from an application service's method. */
export function unary<Request, Response>(method: (request: Request) => Promise<Response>): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const [claimed] = call.metadata.get(ACTOR_HEADER);
    asCaller(claimed?.toString(), `gRPC ${call.getPeer()}`, () => method(call.request)).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
}

/**
 * A server stream from an async iterable. Writing waits for the client (an Observable would be drained into memory), and the
 * iterable is told to end when the client has gone.
 */
export function serverStream<Request, Response>(
  method: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const send = async (): Promise<void> => {
      for await (const message of method(call.request, gone.signal)) {
        if (gone.signal.aborted) return;
        if (!call.write(message)) await once(call, 'drain', { signal: gone.signal });
      }
      call.end();
    };
    send().catch((error: unknown) => {
      if (!gone.signal.aborted) call.emit('error', toGrpcError(error));
    });
  };
}

/** The public gRPC server. Features add their services while modules start; it listens once all have. */
@Injectable()
export class GrpcServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Grpc');
  private readonly server = new Server({
    'grpc.max_receive_message_length': 4 * 1024 * 1024,
    'grpc.keepalive_permit_without_calls': 1,
  });
  private bound = 0;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  add<Implementation extends UntypedServiceImplementation>(
    definition: ServiceDefinition<Implementation>,
    implementation: Implementation,
  ): void {
    this.server.addService(definition, implementation);
  }

  /** The port in use, once listening. */
  get port(): number {
    return this.bound;
  }

  async onApplicationBootstrap(): Promise<void> {
    this.add(HealthService, healthImplementation);
    const { host, grpcPort } = this.config;
    const address = authority(host, grpcPort);
    this.bound = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(listenFault(error, host, grpcPort, GRPC));
        else resolve(port);
      });
    });
    this.logger.log(`gRPC on ${authority(host, this.bound)}`);
  }

  async beforeApplicationShutdown(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    const forced = setTimeout(() => this.server.forceShutdown(), 1_000);
    await closed;
    clearTimeout(forced);
  }
}
