import { Module } from '@nestjs/common';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointsController } from './checkpoints.controller.js';
import { CheckpointsGrpc } from './checkpoints.grpc.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExporter } from './merged.exporter.js';
import { MergedExports } from './merged.service.js';

@Module({
  providers: [CheckpointsService, CheckpointFiles, CheckpointsGrpc, MergedExports, MergedExporter],
  controllers: [CheckpointsController],
})
export class CheckpointsModule {}
