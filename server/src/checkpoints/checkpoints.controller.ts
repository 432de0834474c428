import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import {
  Checkpoint,
  GetCheckpointRequest,
  GetLineageRequest,
  ImportCheckpointRequest,
  Lineage,
  ListCheckpointsRequest,
  ListCheckpointsResponse,
} from '../gen/stic/checkpoints/v1/checkpoints.js';
import { parseMessage } from '../platform/transport/messages.js';
import { CheckpointFiles } from './checkpoint.files.js';
import { CheckpointsService } from './checkpoints.service.js';

@Controller('api/checkpoints')
export class CheckpointsController {
  constructor(
    private readonly checkpoints: CheckpointsService,
    private readonly files: CheckpointFiles,
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

  @Get(':checkpoint_id/files')
  download(@Param('checkpoint_id') checkpointId: string, @Res() response: Response): Promise<void> {
    return this.files.send(checkpointId, response);
  }
}
