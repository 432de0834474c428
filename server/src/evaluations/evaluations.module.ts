import { Module } from '@nestjs/common';
import { EvaluationsController } from './evaluations.controller.js';
import { EvaluationsGrpc } from './evaluations.grpc.js';
import { EvaluationsService } from './evaluations.service.js';

@Module({ providers: [EvaluationsService, EvaluationsGrpc], controllers: [EvaluationsController] })
export class EvaluationsModule {}
