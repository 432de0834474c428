import { Module } from '@nestjs/common';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointImporter } from './checkpoint.importer.js';
import { CheckpointFilesController } from './checkpoint.files.controller.js';
import { checkpointsApi } from './checkpoints.api.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExporter } from './merged.exporter.js';
import { MergedExports } from './merged.service.js';

@Module({
  providers: [CheckpointsService, CheckpointFiles, CheckpointImporter, checkpointsApi, MergedExports, MergedExporter],
  controllers: [CheckpointFilesController],
})
export class CheckpointsModule {}
