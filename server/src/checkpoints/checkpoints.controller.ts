import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import {
  Checkpoint,
  ExportMergedRequest,
  GetCheckpointRequest,
  GetLineageRequest,
  GetMergedExportRequest,
  ImportCheckpointRequest,
  Lineage,
  ListCheckpointsRequest,
  ListCheckpointsResponse,
  MergedExport,
} from '../gen/stic/checkpoints/v1/checkpoints.js';
import { parseMessage } from '../platform/transport/messages.js';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointsService } from './checkpoints.service.js';
import { MergedExports } from './merged.service.js';

@Controller('api/checkpoints')
export class CheckpointsController {
  constructor(
    private readonly checkpoints: CheckpointsService,
    private readonly files: CheckpointFiles,
    private readonly merged: MergedExports,
  ) {}

  @Get()
  async list(@Query() query: unknown): Promise<unknown> {
    return ListCheckpointsResponse.toJSON(await this.checkpoints.list(parseMessage(ListCheckpointsRequest, query)));
  }

  @Post('import')
  async import(@Body() body: unknown): Promise<unknown> {
    return Checkpoint.toJSON(await this.checkpoints.import(parseMessage(ImportCheckpointRequest, body)));
  }

  @Get(':checkpoint_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Checkpoint.toJSON(await this.checkpoints.get(parseMessage(GetCheckpointRequest, path)));
  }

  @Get(':checkpoint_id/lineage')
  async lineage(@Param() path: unknown): Promise<unknown> {
    return Lineage.toJSON(await this.checkpoints.lineage(parseMessage(GetLineageRequest, path)));
  }

  /** Starts a merged export, or says how the one there is stands. */
  @Post(':checkpoint_id/merge')
  @HttpCode(200)
  async merge(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return MergedExport.toJSON(await this.merged.start(parseMessage(ExportMergedRequest, body, path)));
  }

  @Get(':checkpoint_id/merge')
  async mergedExport(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return MergedExport.toJSON(await this.merged.get(parseMessage(GetMergedExportRequest, query, path)));
  }

  /** The adapter; `?merged=true` and perhaps `&dtype=`: the merged model. */
  @Get(':checkpoint_id/files')
  async download(
    @Param('checkpoint_id') checkpointId: string,
    @Query('merged') merged: unknown,
    @Query('dtype') dtype: unknown,
    @Res() response: Response,
  ): Promise<void> {
    if (merged === 'true') await this.files.sendMerged({ checkpointId, dtype: typeof dtype === 'string' ? dtype : '' }, response);
    else await this.files.send(checkpointId, response);
  }
}
