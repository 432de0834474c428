/** Address of a blob as an image a browser can show. */
export const imageUrl = (sha256: string): string => `/api/blobs/${sha256}?type=image`;

/** Address of a blob's bytes. */
export const blobUrl = (sha256: string): string => `/api/blobs/${sha256}`;

/** Address of a tar of the run's pairs and images, in another trainer's format. */
export const pairsExportUrl = (runId: string, format: 'trl' | 'llamafactory' | 'llava'): string =>
  `/api/runs/${runId}/pairs/export?format=${format}`;

/** Address of a tar of the adapter's PEFT folder. */
export const adapterUrl = (checkpointId: string): string => `/api/checkpoints/${checkpointId}/files`;
