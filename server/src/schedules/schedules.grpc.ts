import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type ScheduleServiceServer, ScheduleServiceService } from '../gen/stic/schedules/v1/schedules.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { SchedulesService } from './schedules.service.js';

@Injectable()
export class SchedulesGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly schedules: SchedulesService,
  ) {}

  onModuleInit(): void {
    const { schedules } = this;
    const implementation: ScheduleServiceServer = {
      createSchedule: unary((request) => schedules.create(request)),
      getSchedule: unary((request) => schedules.get(request)),
      listSchedules: unary((request) => schedules.list(request)),
      updateSchedule: unary((request) => schedules.update(request)),
      pauseSchedule: unary((request) => schedules.pause(request)),
      resumeSchedule: unary((request) => schedules.resume(request)),
      deleteSchedule: unary((request) => schedules.delete(request)),
      triggerSchedule: unary((request) => schedules.trigger(request)),
      backfillSchedule: unary((request) => schedules.backfill(request)),
      previewSchedule: unary((request) => schedules.preview(request)),
      listTicks: unary((request) => schedules.listTicks(request)),
    };
    this.server.add(ScheduleServiceService, implementation);
  }
}
