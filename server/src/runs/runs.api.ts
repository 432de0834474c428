import { RunServiceDefinition } from '@stic/api/gen/stic/runs/v1/runs.js';
import { serves } from '../platform/api/serves.js';
import { RunActions } from './run.actions.js';
import { RunRecords } from './run.records.js';
import { RunsService } from './runs.service.js';

export const runsApi = serves(RunServiceDefinition, [RunsService, RunActions, RunRecords], (runs, actions, records) => ({
  listPresets: () => runs.listPresets(),
  createRun: (request) => runs.create(request),
  getRun: (request) => runs.get(request),
  listRuns: (request) => runs.list(request),
  cancelRun: (request) => actions.cancel(request),
  pauseRun: (request) => actions.pause(request),
  resumeRun: (request) => actions.resume(request),
  retryRun: (request) => actions.retry(request),
  watchRun: (request, signal) => runs.watch(request, signal),
  listMetrics: (request) => records.metrics(request),
  listLogs: (request) => records.logs(request),
  listPairs: (request) => records.pairs(request),
  listSamples: (request) => records.samples(request),
  listSkipped: (request) => records.skipped(request),
}));
