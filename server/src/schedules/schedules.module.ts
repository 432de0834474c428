import { Module } from '@nestjs/common';
import { DatasetsModule } from '../datasets/index.js';
import { Clock, DatabaseClock } from '../platform/clock.js';
import { RunsModule } from '../runs/index.js';
import { Scheduler } from './scheduler.service.js';
import { SchedulesController } from './schedules.controller.js';
import { SchedulesGrpc } from './schedules.grpc.js';
import { SchedulesService } from './schedules.service.js';

@Module({
  imports: [DatasetsModule, RunsModule],
  providers: [{ provide: Clock, useClass: DatabaseClock }, SchedulesService, Scheduler, SchedulesGrpc],
  controllers: [SchedulesController],
})
export class SchedulesModule {}
