import { DatasetServiceDefinition } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { serves } from '../platform/api/serves.js';
import { DatasetsService } from './datasets.service.js';

export const datasetsApi = serves(DatasetServiceDefinition, [DatasetsService], (datasets) => ({
  createDataset: (request) => datasets.create(request),
  refreshDataset: (request) => datasets.refresh(request),
  getDataset: (request) => datasets.get(request),
  listDatasets: (request) => datasets.list(request),
  watchDataset: (request, signal) => datasets.watch(request, signal),
  listDatasetItems: (request) => datasets.listItems(request),
  listDatasetProblems: (request) => datasets.listProblems(request),
}));
