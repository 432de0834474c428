import { CheckpointServiceDefinition } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { serves } from '../platform/api/serves.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExports } from './merged.service.js';

export const checkpointsApi = serves(CheckpointServiceDefinition, [CheckpointsService, MergedExports], (checkpoints, merged) => ({
  getCheckpoint: (request) => checkpoints.get(request),
  listCheckpoints: (request) => checkpoints.list(request),
  getLineage: (request) => checkpoints.lineage(request),
  importCheckpoint: (request) => checkpoints.import(request),
  exportMerged: (request) => merged.start(request),
  getMergedExport: (request) => merged.get(request),
}));
