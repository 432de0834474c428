import { Module } from '@nestjs/common';
import { DatasetsModule } from '../datasets/index.js';
import { PairsExport } from './export/pairs.export.js';
import { Preflights } from './preflight.js';
import { RunActions } from './run.actions.js';
import { RunReader } from './run.reader.js';
import { RunRecords } from './run.records.js';
import { PairsController } from './export/pairs.controller.js';
import { runsApi } from './runs.api.js';
import { RunsService } from './runs.service.js';

@Module({
  imports: [DatasetsModule],
  providers: [RunsService, Preflights, RunActions, RunReader, RunRecords, PairsExport, runsApi],
  controllers: [PairsController],
  exports: [RunsService, RunActions],
})
export class RunsModule {}
