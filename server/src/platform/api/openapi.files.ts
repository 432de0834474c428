type Json = Readonly<Record<string, unknown>>;

const refused: Json = { '4XX': { $ref: '#/components/responses/Problem' }, '5XX': { $ref: '#/components/responses/Problem' } };

const inPath = (name: string, description: string, schema: Json): Json => ({ name, in: 'path', required: true, description, schema });
const inQuery = (name: string, description: string, schema: Json): Json => ({ name, in: 'query', description, schema });

const ID: Json = { type: 'string', format: 'uuid' };
const BYTES: Json = { schema: { type: 'string', contentEncoding: 'binary' } };

/** A file that can be resumed: Range and If-Range after a cut, If-None-Match for what the caller has. */
const file = (description: string, mediaType: string): Json => ({
  200: { description, content: { [mediaType]: BYTES } },
  206: { description: 'The range of bytes that was asked for.', content: { [mediaType]: BYTES } },
  304: { description: 'The caller has it already: its If-None-Match is the ETag.' },
  ...refused,
});

const operation = (operationId: string, summary: string, parameters: Json[], responses: Json): Json => ({
  operationId,
  tags: ['Files'],
  summary,
  'x-permission': 'READ',
  ...(parameters.length > 0 && { parameters }),
  responses,
});

/** The routes that are no rpc: files, health and this document itself. */
export const FILE_PATHS: Readonly<Record<string, Json>> = {
  '/api/checkpoints/{checkpoint_id}/files': {
    get: operation(
      'Files_DownloadCheckpoint',
      "A checkpoint's adapter in the format of PEFT, or the merged model, as a tar",
      [
        inPath('checkpoint_id', 'The checkpoint.', ID),
        inQuery('merged', 'The model with the adapter merged into it, once ExportMerged has made it.', { type: 'boolean' }),
        inQuery('dtype', 'Of the merged model; that of the base model when it is left out.', { type: 'string' }),
      ],
      file('The tar.', 'application/x-tar'),
    ),
  },
  '/api/runs/{run_id}/pairs/export': {
    get: operation(
      'Files_ExportPairs',
      "A run's preference pairs with their images as a tar for other trainers",
      [
        inPath('run_id', 'The run.', ID),
        inQuery('format', 'Whose format.', { type: 'string', enum: ['trl', 'llamafactory', 'llava'], default: 'trl' }),
      ],
      file('The tar.', 'application/x-tar'),
    ),
  },
  '/api/blobs/{sha256}': {
    get: operation(
      'Files_GetBlob',
      'A blob of the artifact store; it never changes',
      [
        inPath('sha256', 'Digest of its bytes.', { type: 'string', pattern: '^[0-9a-f]{64}$' }),
        inQuery('type', 'image: as an image that a browser shows. Otherwise as a file to save.', { type: 'string', enum: ['image'] }),
      ],
      file('Its bytes.', '*/*'),
    ),
  },
  '/api/health': {
    get: operation('Files_GetHealth', 'Whether the server lives and its database answers', [], {
      200: {
        description: 'It does.',
        content: {
          'application/json': { schema: { type: 'object', properties: { live: { type: 'boolean' }, ready: { type: 'boolean' } } } },
        },
      },
      ...refused,
    }),
  },
  '/openapi.json': {
    get: operation('Files_GetOpenApi', 'This document', [], {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
      ...refused,
    }),
  },
};
