import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { column, enumColumn, type List } from '../platform/filter/index.js';

const latest = (value: string): string =>
  `(SELECT latest.${value} FROM dataset_version AS latest WHERE latest.dataset_id = dataset.id ORDER BY latest.number DESC LIMIT 1)`;

export const datasetList: List = {
  name: 'datasets',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'dataset.id'),
    name: column('text', 'dataset.name', { searched: true }),
    kind: enumColumn('dataset.kind', DatasetKind),
    source: column('text', 'dataset.source'),
    created_at: column('time', 'dataset.created_at'),
    state: enumColumn(latest('state'), VersionState),
    items: column('integer', latest('items')),
    benchmark: column('text', latest('benchmark')),
  },
};

/** Of one version. */
export const problemList: List = {
  name: 'problems',
  order: 'position',
  unique: 'position',
  fields: {
    position: column('integer', 'problem.position'),
    name: column('text', 'problem.name', { searched: true }),
    code: column('text', 'problem.code'),
    reason: column('text', 'problem.reason'),
  },
};
