import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  BackfillScheduleRequest,
  BackfillScheduleResponse,
  CreateScheduleRequest,
  DeleteScheduleRequest,
  DeleteScheduleResponse,
  GetScheduleRequest,
  ListSchedulesRequest,
  ListSchedulesResponse,
  ListTicksRequest,
  ListTicksResponse,
  PauseScheduleRequest,
  PreviewScheduleRequest,
  PreviewScheduleResponse,
  ResumeScheduleRequest,
  Schedule,
  Tick,
  TriggerScheduleRequest,
  UpdateScheduleRequest,
} from '../gen/stic/schedules/v1/schedules.js';
import { parseMessage } from '../platform/transport/messages.js';
import { SchedulesService } from './schedules.service.js';

@Controller('api/schedules')
export class SchedulesController {
  constructor(private readonly schedules: SchedulesService) {}

  @Post()
  async create(@Body() body: unknown): Promise<unknown> {
    return Schedule.toJSON(await this.schedules.create(parseMessage(CreateScheduleRequest, body)));
  }

  @Get()
  async list(@Query() query: unknown): Promise<unknown> {
    return ListSchedulesResponse.toJSON(await this.schedules.list(parseMessage(ListSchedulesRequest, query)));
  }

  /** Before `:schedule_id`, which would take the word for an id. */
  @Get('preview')
  async previewUnsaved(@Query() query: unknown): Promise<unknown> {
    return PreviewScheduleResponse.toJSON(await this.schedules.preview(parseMessage(PreviewScheduleRequest, query)));
  }

  @Get(':schedule_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Schedule.toJSON(await this.schedules.get(parseMessage(GetScheduleRequest, path)));
  }

  @Post(':schedule_id')
  @HttpCode(200)
  async update(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Schedule.toJSON(await this.schedules.update(parseMessage(UpdateScheduleRequest, body, path)));
  }

  @Post(':schedule_id/pause')
  @HttpCode(200)
  async pause(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Schedule.toJSON(await this.schedules.pause(parseMessage(PauseScheduleRequest, body, path)));
  }

  @Post(':schedule_id/resume')
  @HttpCode(200)
  async resume(@Param() path: unknown): Promise<unknown> {
    return Schedule.toJSON(await this.schedules.resume(parseMessage(ResumeScheduleRequest, path)));
  }

  @Post(':schedule_id/delete')
  @HttpCode(200)
  async delete(@Param() path: unknown): Promise<unknown> {
    return DeleteScheduleResponse.toJSON(await this.schedules.delete(parseMessage(DeleteScheduleRequest, path)));
  }

  @Post(':schedule_id/trigger')
  @HttpCode(200)
  async trigger(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Tick.toJSON(await this.schedules.trigger(parseMessage(TriggerScheduleRequest, body, path)));
  }

  @Post(':schedule_id/backfill')
  @HttpCode(200)
  async backfill(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return BackfillScheduleResponse.toJSON(await this.schedules.backfill(parseMessage(BackfillScheduleRequest, body, path)));
  }

  @Get(':schedule_id/preview')
  async preview(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return PreviewScheduleResponse.toJSON(await this.schedules.preview(parseMessage(PreviewScheduleRequest, query, path)));
  }

  @Get(':schedule_id/ticks')
  async ticks(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListTicksResponse.toJSON(await this.schedules.listTicks(parseMessage(ListTicksRequest, query, path)));
  }
}
