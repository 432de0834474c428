import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { PairsExport } from './pairs.export.js';

@Controller('api/runs')
export class PairsController {
  constructor(private readonly exports: PairsExport) {}

  @Get(':run_id/pairs/export')
  export(
    @Param('run_id') runId: string,
    @Query('format') format: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.exports.send(runId, format ?? 'trl', request, response);
  }
}
