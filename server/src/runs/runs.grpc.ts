import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { RunServiceService } from '../gen/stic/runs/v1/runs.js';
import type { RunServiceServer } from '../gen/stic/runs/v1/runs.js';
import { GrpcServer, serverStream, unary } from '../platform/transport/grpc-server.js';
import { RunActions } from './run.actions.js';
import { RunRecords } from './run.records.js';
import { RunsService } from './runs.service.js';

@Injectable()
export class RunsGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly runs: RunsService,
    private readonly actions: RunActions,
    private readonly records: RunRecords,
  ) {}

  onModuleInit(): void {
    const { runs, actions, records } = this;
    const implementation: RunServiceServer = {
      listPresets: unary(() => runs.listPresets()),
      createRun: unary((request) => runs.create(request)),
      getRun: unary((request) => runs.get(request)),
      listRuns: unary((request) => runs.list(request)),
      cancelRun: unary((request) => actions.cancel(request)),
      pauseRun: unary((request) => actions.pause(request)),
      resumeRun: unary((request) => actions.resume(request)),
      retryRun: unary((request) => actions.retry(request)),
      watchRun: serverStream((request, signal) => runs.watch(request, signal)),
      listMetrics: unary((request) => records.metrics(request)),
      listLogs: unary((request) => records.logs(request)),
      listPairs: unary((request) => records.pairs(request)),
      listSamples: unary((request) => records.samples(request)),
      listSkipped: unary((request) => records.skipped(request)),
    };
    this.server.add(RunServiceService, implementation);
  }
}
