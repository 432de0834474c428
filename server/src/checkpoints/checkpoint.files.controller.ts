import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { CheckpointFiles } from './checkpoint.files.js';

@Controller('api/checkpoints')
export class CheckpointFilesController {
  constructor(private readonly files: CheckpointFiles) {}

  /** The adapter; `?merged=true` and perhaps `&dtype=`: the merged model. */
  @Get(':checkpoint_id/files')
  async download(
    @Param('checkpoint_id') checkpointId: string,
    @Query('merged') merged: unknown,
    @Query('dtype') dtype: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (merged === 'true') await this.files.sendMerged({ checkpointId, dtype: typeof dtype === 'string' ? dtype : '' }, request, response);
    else await this.files.send(checkpointId, request, response);
  }
}
