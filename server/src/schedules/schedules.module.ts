import { Module } from '@nestjs/common';
import { DatasetsModule } from '../datasets/index.js';
import { Clock, DatabaseClock } from '../platform/clock.js';
import { RunsModule } from '../runs/index.js';
import { Scheduler } from './scheduler.service.js';
import { schedulesApi } from './schedules.api.js';
import { SchedulesService } from './schedules.service.js';

@Module({
  imports: [DatasetsModule, RunsModule],
  providers: [{ provide: Clock, useClass: DatabaseClock }, SchedulesService, Scheduler, schedulesApi],
})
export class SchedulesModule {}
