import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createFileRegistry, type DescMessage, type DescMethod, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Rpc } from '@stic/api/service.js';

/** The protos as `buf build` compiled them, comments included: what rules, OpenAPI and reflection are read from. */
export const descriptorBytes: Buffer = readFileSync(createRequire(import.meta.url).resolve('@stic/api/descriptors.binpb'));

export const descriptorSet: FileDescriptorSet = fromBinary(FileDescriptorSetSchema, descriptorBytes);

export const registry: FileRegistry = createFileRegistry(descriptorSet);

/** An rpc's descriptor. Generated code and descriptors come from the same protos, hence it is there. */
export function methodOf({ service, method }: Rpc): DescMethod {
  const found = registry.getService(service.fullName)?.methods.find(({ name }) => name === method.name);
  if (found === undefined) throw new Error(`${service.fullName}/${method.name} has no descriptor: run \`npm run proto\``);
  return found;
}

export const requestOf = (rpc: Rpc): DescMessage => methodOf(rpc).input;
