// The public rpcs, and requests made from their descriptors.
import { randomUUID } from 'node:crypto';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { type Rpc, rpcsOf, type Service } from '@stic/api/service.js';
import { registry } from '../../server/src/platform/api/descriptors.js';
import { rulesOf } from '../../server/src/platform/api/rules.js';

export type Json = Record<string, unknown>;

/** Every rpc of every service but the sidecar's. */
export async function publicRpcs(): Promise<Rpc[]> {
  const rpcs: Rpc[] = [];
  for (const file of registry.files) {
    if (!file.proto.package.startsWith('stic.') || file.proto.package === 'stic.trainer.v1') continue;
    const code = (await import(`@stic/api/gen/${file.name}.js`)) as Record<string, unknown>;
    for (const { name } of file.services) rpcs.push(...rpcsOf(code[`${name}Definition`] as Service));
  }
  return rpcs;
}

/** Texts that pass for fields of these names. */
const TEXTS: Readonly<Record<string, string>> = {
  cron: '30 2 * * *',
  zone: 'UTC',
  url: 'https://lab.example/hook',
  source: '/nowhere',
  path: '/nowhere',
  base_model_path: '/nowhere',
  events: 'run.failed',
  role: 'images',
  digest: 'f'.repeat(64),
  name: 'name',
};

/** Fields that rule each other out, or take a request out of the ordinary. */
const LEFT_OUT = new Set([
  'page_token',
  'image_root',
  'image_list',
  'forked_from',
  'changes',
  'as_checkpoint',
  'etag',
  'filter',
  'order_by',
  'update_mask',
]);

/** A request in JSON with most of its fields set, ids of nothing, and values that keep the rules. Messages lie at most so deep. */
export function sample(message: DescMessage, depth = 4): Json {
  const fields = message.fields.filter(
    (field) => !LEFT_OUT.has(field.name) && (depth > 0 || !field.message) && field.oneof === undefined && field.fieldKind !== 'map',
  );
  return Object.fromEntries(
    fields.map((field) => {
      const value = sampleValue(field, depth);
      return [field.name, field.fieldKind === 'list' ? [value] : value];
    }),
  );
}

function sampleValue(field: DescField, depth: number): unknown {
  if (field.message?.typeName === 'google.protobuf.Timestamp')
    return field.name === 'end' ? '2025-01-08T00:00:00Z' : '2025-01-01T00:00:00Z';
  if (field.message?.typeName === 'google.protobuf.FieldMask') return '';
  if (field.message) return sample(field.message, depth - 1);
  if (field.enum) return field.enum.values[1]?.name;
  const { uuid, gt, gte = 0, lte = Infinity } = rulesOf(field);
  if (field.scalar === ScalarType.BOOL) return true;
  if (field.scalar === ScalarType.STRING) return uuid || field.name.endsWith('_id') ? randomUUID() : (TEXTS[field.name] ?? 'text');
  if (field.scalar === ScalarType.BYTES) return '';
  return Math.min(lte, Math.max(gte, (gt ?? 0) + 1));
}
