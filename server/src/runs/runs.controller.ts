import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import {
  CancelRunRequest,
  CreateRunRequest,
  GetRunRequest,
  ListLogsRequest,
  ListLogsResponse,
  ListMetricsRequest,
  ListMetricsResponse,
  ListPairsRequest,
  ListPairsResponse,
  ListPresetsResponse,
  ListRunsRequest,
  ListRunsResponse,
  ListSamplesRequest,
  ListSamplesResponse,
  ListSkippedRequest,
  ListSkippedResponse,
  PauseRunRequest,
  ResumeRunRequest,
  RetryRunRequest,
  Run,
  WatchRunRequest,
} from '../gen/stic/runs/v1/runs.js';
import { parseMessage } from '../platform/transport/messages.js';
import { sendEvents } from '../platform/transport/sse.js';
import { PairsExport } from './export/pairs.export.js';
import { RunActions } from './run.actions.js';
import { RunRecords } from './run.records.js';
import { RunsService } from './runs.service.js';

@Controller('api')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly actions: RunActions,
    private readonly records: RunRecords,
    private readonly exports: PairsExport,
  ) {}

  @Get('presets')
  async presets(): Promise<unknown> {
    return ListPresetsResponse.toJSON(await this.runs.listPresets());
  }

  @Post('runs')
  async create(@Body() body: unknown): Promise<unknown> {
    return Run.toJSON(await this.runs.create(parseMessage(CreateRunRequest, body)));
  }

  @Get('runs')
  async list(@Query() query: unknown): Promise<unknown> {
    return ListRunsResponse.toJSON(await this.runs.list(parseMessage(ListRunsRequest, query)));
  }

  @Get('runs/:run_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Run.toJSON(await this.runs.get(parseMessage(GetRunRequest, path)));
  }

  @Post('runs/:run_id/cancel')
  @HttpCode(200)
  async cancel(@Param() path: unknown): Promise<unknown> {
    return Run.toJSON(await this.actions.cancel(parseMessage(CancelRunRequest, path)));
  }

  @Post('runs/:run_id/pause')
  @HttpCode(200)
  async pause(@Param() path: unknown): Promise<unknown> {
    return Run.toJSON(await this.actions.pause(parseMessage(PauseRunRequest, path)));
  }

  @Post('runs/:run_id/resume')
  @HttpCode(200)
  async resume(@Param() path: unknown): Promise<unknown> {
    return Run.toJSON(await this.actions.resume(parseMessage(ResumeRunRequest, path)));
  }

  @Post('runs/:run_id/retry')
  @HttpCode(200)
  async retry(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Run.toJSON(await this.actions.retry(parseMessage(RetryRunRequest, body, path)));
  }

  @Get('runs/:run_id/watch')
  watch(@Param() path: unknown, @Res() response: Response): Promise<void> {
    const request = parseMessage(WatchRunRequest, path);
    return sendEvents(
      response,
      (run: Run) => Run.toJSON(run),
      (signal) => this.runs.watch(request, signal),
    );
  }

  @Get('runs/:run_id/metrics')
  async metrics(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListMetricsResponse.toJSON(await this.records.metrics(parseMessage(ListMetricsRequest, query, path)));
  }

  @Get('runs/:run_id/logs')
  async logs(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListLogsResponse.toJSON(await this.records.logs(parseMessage(ListLogsRequest, query, path)));
  }

  @Get('runs/:run_id/pairs')
  async pairs(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListPairsResponse.toJSON(await this.records.pairs(parseMessage(ListPairsRequest, query, path)));
  }

  @Get('runs/:run_id/pairs/export')
  export(@Param('run_id') runId: string, @Query('format') format: string | undefined, @Res() response: Response): Promise<void> {
    return this.exports.send(runId, format ?? 'trl', response);
  }

  @Get('runs/:run_id/samples')
  async samples(@Param() path: unknown): Promise<unknown> {
    return ListSamplesResponse.toJSON(await this.records.samples(parseMessage(ListSamplesRequest, path)));
  }

  @Get('runs/:run_id/skipped')
  async skipped(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListSkippedResponse.toJSON(await this.records.skipped(parseMessage(ListSkippedRequest, query, path)));
  }
}
