import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { AuditServiceDefinition, ListAuditEntriesResponse } from '@stic/api/gen/stic/audit/v1/audit.js';
import { Permission } from '@stic/api/gen/stic/api/v1/options.js';
import { type Codec, rpcsOf, type Service } from '@stic/api/service.js';
import { registry } from './descriptors.js';
import { serves } from './serves.js';
import { ensure } from '../../../../test/support/expect.js';

/** The sidecar's service is not public. */
const PRIVATE = 'stic.trainer.v1';

const ours = [...registry.files].filter(({ proto }) => proto.package.startsWith('stic.'));

const generated = (file: string): Promise<Record<string, unknown>> =>
  import(`@stic/api/gen/${file}.js`) as Promise<Record<string, unknown>>;

test('every rpc of every public service has a permission and an HTTP address of its own', async () => {
  const services: DescService[] = ours.filter(({ proto }) => proto.package !== PRIVATE).flatMap((file) => file.services);
  expect(services.length).toBeGreaterThanOrEqual(9);
  const addresses = new Set<string>();
  for (const { file, name, methods } of services) {
    const rpcs = rpcsOf((await generated(file.name))[`${name}Definition`] as Service);
    expect(rpcs.map(({ method }) => method.name)).toStrictEqual(methods.map((method) => method.name));
    for (const { grpcPath, http, permission } of rpcs) {
      expect(permission, grpcPath).not.toBe(Permission.PERMISSION_UNSPECIFIED);
      expect(http, grpcPath).not.toBeUndefined();
      ensure(http);
      const address = `${http.verb} ${http.path.replaceAll(/\{\w+\}/g, '{}')}`;
      expect(addresses.has(address), address).toBe(false);
      addresses.add(address);
    }
  }
});

test('the generated messages have the fields that the descriptors name, by which rules are applied', async () => {
  const below = (message: DescMessage): DescMessage[] => [message, ...message.nestedMessages.flatMap(below)];
  for (const file of ours) {
    const code = await generated(file.name);
    for (const message of file.messages.flatMap(below)) {
      if (message.proto.options?.mapEntry) continue;
      const name = message.typeName.slice(file.proto.package.length + 1).replaceAll('.', '_');
      const codec = code[name] as Codec<object> | undefined;
      ensure(codec, message.typeName);
      expect(Object.keys(codec.fromPartial({})).sort(), message.typeName).toStrictEqual(
        [...new Set(message.fields.map((field) => field.oneof?.localName ?? field.localName))].sort(),
      );
    }
  }
});

test('a missing or a surplus rpc, or one of another type, does not compile', () => {
  const listAuditEntries = (): Promise<ListAuditEntriesResponse> => Promise.resolve(ListAuditEntriesResponse.fromPartial({}));
  serves(AuditServiceDefinition, [], () => ({ listAuditEntries }));
  // @ts-expect-error listAuditEntries is missing
  serves(AuditServiceDefinition, [], () => ({}));
  // @ts-expect-error the service has no such rpc
  serves(AuditServiceDefinition, [], () => ({ listAuditEntries, dropAuditEntries: listAuditEntries }));
  // @ts-expect-error the answer is another message
  serves(AuditServiceDefinition, [], () => ({ listAuditEntries: () => Promise.resolve({ rows: [] }) }));
});
