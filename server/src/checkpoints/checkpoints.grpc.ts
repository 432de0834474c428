import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { CheckpointServiceService } from '../gen/stic/checkpoints/v1/checkpoints.js';
import type { CheckpointServiceServer } from '../gen/stic/checkpoints/v1/checkpoints.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExports } from './merged.service.js';

@Injectable()
export class CheckpointsGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly checkpoints: CheckpointsService,
    private readonly merged: MergedExports,
  ) {}

  onModuleInit(): void {
    const implementation: CheckpointServiceServer = {
      getCheckpoint: unary((request) => this.checkpoints.get(request)),
      listCheckpoints: unary((request) => this.checkpoints.list(request)),
      getLineage: unary((request) => this.checkpoints.lineage(request)),
      importCheckpoint: unary((request) => this.checkpoints.import(request)),
      exportMerged: unary((request) => this.merged.start(request)),
      getMergedExport: unary((request) => this.merged.get(request)),
    };
    this.server.add(CheckpointServiceService, implementation);
  }
}
