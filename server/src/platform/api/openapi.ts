import { type DescEnum, type DescField, type DescMessage, type DescMethod, type DescService, ScalarType } from '@bufbuild/protobuf';
import type { HttpBinding, Rpc } from '@stic/api/service.js';
import { commentOf } from './comments.js';
import { methodOf } from './descriptors.js';
import { FILE_PATHS } from './openapi.files.js';
import { RECIPE, rulesOf } from './rules.js';

export type Json = Readonly<Record<string, unknown>>;

export type OpenApi = Json & {
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly responses: Json };
};

const DESCRIPTION = `Every operation is also an rpc over gRPC, with the same messages. JSON is that of protobuf with the field names of \
the protos: 64-bit integers are strings, enums names, times RFC 3339. An answer leaves out fields that have their default value: 0, false, \
an empty text, list or map. A request may leave them out too; a field that is not described here is refused.`;

/** The OpenAPI 3.1 document of rpcs and file routes. Pure: it holds what the protos declare. */
export function openApi(rpcs: readonly Rpc[]): OpenApi {
  const schemas = new Schemas(new Set(rpcs.flatMap((rpc) => [...within(methodOf(rpc).output)])));
  const paths: Record<string, Json> = {};
  const services = new Set<DescService>();
  for (const rpc of rpcs) {
    if (rpc.http === undefined) continue;
    const method = methodOf(rpc);
    services.add(method.parent);
    paths[rpc.http.path] = { ...paths[rpc.http.path], [rpc.http.verb]: operation(rpc, rpc.http, method, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'STIC control plane',
      version: 'v1',
      description: DESCRIPTION,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [],
    tags: [
      ...[...services].map((service) => ({ name: service.name, description: commentOf(service) })),
      { name: 'Files', description: 'What has no rpc: files, and the state of the server.' },
    ],
    paths: { ...paths, ...FILE_PATHS },
    components: { schemas: { ...schemas.all(), Problem: PROBLEM }, responses: { Problem: PROBLEM_RESPONSE } },
  };
}

function operation(rpc: Rpc, http: HttpBinding, method: DescMethod, schemas: Schemas): Json {
  const { input, output, parent } = method;
  const inPath = input.fields.filter(({ name }) => http.variables.includes(name));
  const rest = input.fields.filter(({ name }) => !http.variables.includes(name));
  const comment = commentOf(method);
  const parameters = [
    ...inPath.map((field) => ({ ...parameter(field, schemas), in: 'path', required: true })),
    ...(http.body ? [] : rest.map((field) => ({ ...parameter(field, schemas), in: 'query', required: isNeeded(field) }))),
  ];
  return {
    operationId: `${parent.name}_${method.name}`,
    tags: [parent.name],
    summary: comment.split('. ')[0]?.replace(/\.$/, ''),
    description: comment,
    'x-permission': rpc.permission.replace('PERMISSION_', ''),
    ...(parameters.length > 0 && { parameters }),
    ...(http.body && { requestBody: body(input, rest, schemas) }),
    responses: { 200: success(rpc, output, schemas), ...REFUSALS },
  };
}

function parameter(field: DescField, schemas: Schemas): Json {
  return { name: field.name, ...described(field), schema: schemas.ofField(field) };
}

function body(input: DescMessage, fields: readonly DescField[], schemas: Schemas): Json {
  const schema = fields.length === input.fields.length ? schemas.ref(input) : schemas.ofObject(input, fields);
  return { required: fields.some(isNeeded), content: { 'application/json': { schema } } };
}

function success({ method }: Rpc, output: DescMessage, schemas: Schemas): Json {
  const schema = schemas.ref(output);
  if (!method.responseStream) return { description: 'Done.', content: { 'application/json': { schema } } };
  return {
    description: `Server-sent events: \`update\` with ${output.name} as JSON now and after every change, \`end\` once there is nothing more \
to watch, \`error\` with a Problem. A connection that closes without \`end\` was lost.`,
    content: { 'text/event-stream': { schema: { type: 'string' }, 'x-event-schema': schema } },
  };
}

const described = (field: DescField, isAnswer = false): Json => {
  const { unit } = rulesOf(field);
  const needed = isAnswer && isNeeded(field) ? 'Required in a request.' : '';
  const text = [commentOf(field), unit === '' ? '' : `Unit: ${unit}.`, needed].filter((part) => part !== '').join(' ');
  return text === '' ? {} : { description: text };
};

/** Whether a request without the field breaks the field's rules. Recipes are completed by their preset before they are checked. */
function isNeeded(field: DescField): boolean {
  if (field.parent.file.proto.package === RECIPE) return false;
  const { required, minItems = 0, gt, gte, lt, lte } = rulesOf(field);
  const zeroIsRefused = (gt ?? -1) >= 0 || (gte ?? 0) > 0 || (lt ?? 1) <= 0 || (lte ?? 0) < 0;
  return (
    required || minItems > 0 || (field.fieldKind === 'scalar' && field.oneof === undefined && !field.proto.proto3Optional && zeroIsRefused)
  );
}

/** A message and all that it can hold. */
function within(message: DescMessage, found = new Set<DescMessage>()): Set<DescMessage> {
  if (found.has(message)) return found;
  found.add(message);
  for (const field of message.fields) if (field.message) within(field.message, found);
  return found;
}

/** Schemas of messages and enums, gathered as they are referred to. */
class Schemas {
  private readonly known = new Map<string, Json>();

  /** What a request must set may be left out of an answer, as in a view: messages of answers require nothing. */
  constructor(private readonly answers: ReadonlySet<DescMessage>) {}

  all(): Record<string, Json> {
    return Object.fromEntries([...this.known].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  ref(described: DescMessage | DescEnum): Json {
    const { typeName } = described;
    if (!this.known.has(typeName)) {
      // Before its fields are read: a message may hold itself.
      this.known.set(typeName, {});
      this.known.set(typeName, described.kind === 'enum' ? ofEnum(described) : this.ofObject(described, described.fields));
    }
    return { $ref: `#/components/schemas/${typeName}` };
  }

  ofObject(message: DescMessage, fields: readonly DescField[]): Json {
    const isAnswer = this.answers.has(message);
    const needed = fields.filter(isNeeded).map(({ name }) => name);
    const comment = commentOf(message);
    return {
      type: 'object',
      ...(comment !== '' && { description: comment }),
      properties: Object.fromEntries(fields.map((field) => [field.name, { ...this.ofField(field), ...described(field, isAnswer) }])),
      ...(needed.length > 0 && !isAnswer && { required: needed }),
    };
  }

  ofField(field: DescField): Json {
    const { minItems, maxItems } = rulesOf(field);
    switch (field.fieldKind) {
      case 'list':
        return {
          type: 'array',
          items: this.ofValue(field),
          ...(minItems !== undefined && { minItems }),
          ...(maxItems !== undefined && { maxItems }),
        };
      case 'map':
        return {
          type: 'object',
          additionalProperties: this.ofValue(field),
          ...(minItems !== undefined && { minProperties: minItems }),
          ...(maxItems !== undefined && { maxProperties: maxItems }),
        };
      default:
        return this.ofValue(field);
    }
  }

  private ofValue(field: DescField): Json {
    if (field.message) return WELL_KNOWN[field.message.typeName] ?? this.ref(field.message);
    if (field.enum) return this.ref(field.enum);
    const scalar = SCALARS[field.scalar];
    const rules = rulesOf(field);
    return scalar['type'] === 'string'
      ? { ...scalar, ...ofText(field) }
      : scalar['type'] === 'boolean'
        ? scalar
        : { ...scalar, ...ofNumber(rules) };
  }
}

function ofEnum(described: DescEnum): Json {
  const values = described.values.map((value) => ({ name: value.name, comment: commentOf(value) }));
  const text = [
    commentOf(described),
    ...values.filter(({ comment }) => comment !== '').map(({ name, comment }) => `- ${name}: ${comment}`),
  ];
  return { type: 'string', description: text.join('\n').trim(), enum: values.map(({ name }) => name) };
}

function ofText(field: DescField): Json {
  if (field.scalar !== ScalarType.STRING) return {};
  const { required, uuid, minLen = required && field.fieldKind === 'scalar' ? 1 : undefined, maxLen, pattern } = rulesOf(field);
  return {
    ...(uuid && { format: 'uuid' }),
    ...(minLen !== undefined && { minLength: minLen }),
    ...(maxLen !== undefined && { maxLength: maxLen }),
    ...(pattern !== '' && { pattern: `^(?:${pattern})$` }),
  };
}

const ofNumber = ({ gt, gte, lt, lte }: ReturnType<typeof rulesOf>): Json => ({
  ...(gt !== undefined && { exclusiveMinimum: gt }),
  ...(gte !== undefined && { minimum: gte }),
  ...(lt !== undefined && { exclusiveMaximum: lt }),
  ...(lte !== undefined && { maximum: lte }),
});

const WELL_KNOWN: Readonly<Partial<Record<string, Json>>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: String.raw`^-?\d+(\.\d+)?s$` },
  'google.protobuf.FieldMask': { type: 'string' },
};

const int32: Json = { type: 'integer', format: 'int32' };
const uint32: Json = { type: 'integer', format: 'int64', minimum: 0, maximum: 2 ** 32 - 1 };
const int64: Json = { type: 'string', format: 'int64', pattern: String.raw`^-?\d+$` };
const uint64: Json = { type: 'string', format: 'uint64', pattern: String.raw`^\d+$` };

const SCALARS: Readonly<Record<ScalarType, Json>> = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.DOUBLE]: { type: 'number', format: 'double' },
  [ScalarType.FLOAT]: { type: 'number', format: 'float' },
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

const REFUSALS: Json = { '4XX': { $ref: '#/components/responses/Problem' }, '5XX': { $ref: '#/components/responses/Problem' } };

const PROBLEM_RESPONSE: Json = {
  description: 'Refused, or failed.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const TEXT: Json = { type: 'string' };

const PROBLEM: Json = {
  type: 'object',
  description: 'An error as RFC 9457 has it.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    title: TEXT,
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong, for people.' },
    code: { type: 'string', description: 'The canonical code of gRPC, such as NOT_FOUND.' },
    field: { type: 'string', description: 'The first field at fault, as its path in the request.' },
    hint: { type: 'string', description: 'What to do about it.' },
    reason: { type: 'string', description: 'A more exact code, such as MODEL_UNSUPPORTED.' },
    errors: {
      type: 'array',
      description: 'Every field at fault.',
      items: { type: 'object', required: ['field', 'message'], properties: { field: TEXT, message: TEXT } },
    },
    request_id: { type: 'string', description: 'The id of the request, which the log has too.' },
  },
};
