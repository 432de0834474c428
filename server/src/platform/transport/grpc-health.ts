import type { handleServerStreamingCall, handleUnaryCall, ServiceDefinition } from '@grpc/grpc-js';

/** grpc.health.v1.HealthCheckResponse with status SERVING (field 1, varint 1). */
const SERVING = Buffer.from([0x08, 0x01]);
const raw = { serialize: (bytes: Buffer): Buffer => bytes, deserialize: (bytes: Buffer): Buffer => bytes };

type HealthImplementation = {
  check: handleUnaryCall<Buffer, Buffer>;
  watch: handleServerStreamingCall<Buffer, Buffer>;
};

const method = <Path extends string, Stream extends boolean>(path: Path, responseStream: Stream) => ({
  path,
  requestStream: false as const,
  responseStream,
  requestSerialize: raw.serialize,
  requestDeserialize: raw.deserialize,
  responseSerialize: raw.serialize,
  responseDeserialize: raw.deserialize,
});

/** The standard health protocol, for probes and load balancers: whoever answers at all is serving. */
export const HealthService = {
  check: method('/grpc.health.v1.Health/Check', false as const),
  watch: method('/grpc.health.v1.Health/Watch', true as const),
} satisfies ServiceDefinition<HealthImplementation>;

export const healthImplementation: HealthImplementation = {
  check: (_, callback) => callback(null, SERVING),
  watch: (call) => void call.write(SERVING),
};
