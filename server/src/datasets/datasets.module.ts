import { Module } from '@nestjs/common';
import { DatasetAdditions } from './dataset.additions.js';
import { DatasetsController } from './datasets.controller.js';
import { DatasetsGrpc } from './datasets.grpc.js';
import { DatasetsImporter } from './datasets.importer.js';
import { DatasetsService } from './datasets.service.js';

@Module({
  providers: [DatasetsService, DatasetAdditions, DatasetsImporter, DatasetsGrpc],
  controllers: [DatasetsController],
  exports: [DatasetsService, DatasetAdditions],
})
export class DatasetsModule {}
