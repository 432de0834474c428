import { Module } from '@nestjs/common';
import { DatasetsController } from './datasets.controller.js';
import { DatasetsGrpc } from './datasets.grpc.js';
import { DatasetsImporter } from './datasets.importer.js';
import { DatasetsService } from './datasets.service.js';

@Module({
  providers: [DatasetsService, DatasetsImporter, DatasetsGrpc],
  controllers: [DatasetsController],
  exports: [DatasetsService],
})
export class DatasetsModule {}
