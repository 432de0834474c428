import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  Comparison,
  Evaluation,
  GetComparisonRequest,
  GetEvaluationRequest,
  ListEvaluationsRequest,
  ListEvaluationsResponse,
} from '../gen/stic/evaluations/v1/evaluations.js';
import { parseMessage } from '../platform/transport/messages.js';
import { EvaluationsService } from './evaluations.service.js';

@Controller('api')
export class EvaluationsController {
  constructor(private readonly evaluations: EvaluationsService) {}

  @Get('evaluations')
  async list(@Query() query: unknown): Promise<unknown> {
    return ListEvaluationsResponse.toJSON(await this.evaluations.list(parseMessage(ListEvaluationsRequest, query)));
  }

  @Get('evaluations/:evaluation_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Evaluation.toJSON(await this.evaluations.get(parseMessage(GetEvaluationRequest, path)));
  }

  @Get('runs/:run_id/comparison')
  async compare(@Param() path: unknown): Promise<unknown> {
    return Comparison.toJSON(await this.evaluations.compare(parseMessage(GetComparisonRequest, path)));
  }
}
