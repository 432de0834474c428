import type { Dataset, DatasetVersion } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import type { DatasetEntity, DatasetVersionEntity } from './dataset.entity.js';

export const toDataset = (row: DatasetEntity, latest: DatasetVersionEntity | undefined): Dataset => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  source: row.source,
  imageRoot: row.imageRoot,
  imageList: row.imageList,
  createdAt: row.createdAt,
  latest: latest && toVersion(latest),
});

const toVersion = (row: DatasetVersionEntity): DatasetVersion => ({
  id: row.id,
  datasetId: row.datasetId,
  digest: row.digest,
  state: row.state,
  items: row.items,
  skipped: row.skipped,
  bytes: BigInt(row.bytes),
  done: row.done,
  total: row.total,
  errorCode: row.errorCode,
  error: row.error,
  createdAt: row.createdAt,
  benchmark: row.benchmark,
  duplicates: row.duplicates,
  repeats: row.repeats,
});
