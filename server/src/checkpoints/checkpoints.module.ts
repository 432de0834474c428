import { Module } from '@nestjs/common';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointImporter } from './checkpoint.importer.js';
import { CheckpointsController } from './checkpoints.controller.js';
import { CheckpointsGrpc } from './checkpoints.grpc.js';
import { CheckpointsService } from './checkpoints.service.js';

@Module({
  providers: [CheckpointsService, CheckpointFiles, CheckpointImporter, CheckpointsGrpc],
  controllers: [CheckpointsController],
})
export class CheckpointsModule {}
