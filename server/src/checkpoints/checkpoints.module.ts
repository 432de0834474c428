import { Module } from '@nestjs/common';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointImporter } from './checkpoint.importer.js';
import { CheckpointsController } from './checkpoints.controller.js';
import { CheckpointsGrpc } from './checkpoints.grpc.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExporter } from './merged.exporter.js';
import { MergedExports } from './merged.service.js';

@Module({
  providers: [CheckpointsService, CheckpointFiles, CheckpointImporter, CheckpointsGrpc, MergedExports, MergedExporter],
  controllers: [CheckpointsController],
})
export class CheckpointsModule {}
