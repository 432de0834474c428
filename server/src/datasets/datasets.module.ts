import { Module } from '@nestjs/common';
import { DatasetAdditions } from './dataset.additions.js';
import { datasetsApi } from './datasets.api.js';
import { DatasetsImporter } from './datasets.importer.js';
import { DatasetsService } from './datasets.service.js';

@Module({
  providers: [DatasetsService, DatasetAdditions, DatasetsImporter, datasetsApi],
  exports: [DatasetsService, DatasetAdditions],
})
export class DatasetsModule {}
