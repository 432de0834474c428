import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { EvaluationServiceService } from '../gen/stic/evaluations/v1/evaluations.js';
import type { EvaluationServiceServer } from '../gen/stic/evaluations/v1/evaluations.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { EvaluationsService } from './evaluations.service.js';

@Injectable()
export class EvaluationsGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly evaluations: EvaluationsService,
  ) {}

  onModuleInit(): void {
    const implementation: EvaluationServiceServer = {
      getEvaluation: unary((request) => this.evaluations.get(request)),
      listEvaluations: unary((request) => this.evaluations.list(request)),
      getComparison: unary((request) => this.evaluations.compare(request)),
    };
    this.server.add(EvaluationServiceService, implementation);
  }
}
