export { type Additions, DatasetAdditions } from './dataset.additions.js';
export { datasetEntities } from './dataset.entity.js';
export { DatasetsModule } from './datasets.module.js';
export { DatasetsService, type ReadyVersion } from './datasets.service.js';
