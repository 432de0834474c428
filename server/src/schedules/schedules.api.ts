import { ScheduleServiceDefinition } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { serves } from '../platform/api/serves.js';
import { SchedulesService } from './schedules.service.js';

export const schedulesApi = serves(ScheduleServiceDefinition, [SchedulesService], (schedules) => ({
  createSchedule: (request) => schedules.create(request),
  getSchedule: (request) => schedules.get(request),
  listSchedules: (request) => schedules.list(request),
  updateSchedule: (request) => schedules.update(request),
  pauseSchedule: (request) => schedules.pause(request),
  resumeSchedule: (request) => schedules.resume(request),
  deleteSchedule: (request) => schedules.delete(request),
  triggerSchedule: (request) => schedules.trigger(request),
  backfillSchedule: (request) => schedules.backfill(request),
  previewSchedule: (request) => schedules.preview(request),
  listTicks: (request) => schedules.listTicks(request),
}));
