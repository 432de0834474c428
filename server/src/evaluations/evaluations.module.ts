import { Module } from '@nestjs/common';
import { evaluationsApi } from './evaluations.api.js';
import { EvaluationsService } from './evaluations.service.js';

@Module({ providers: [EvaluationsService, evaluationsApi] })
export class EvaluationsModule {}
