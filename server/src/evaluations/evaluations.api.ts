import { EvaluationServiceDefinition } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { serves } from '../platform/api/serves.js';
import { EvaluationsService } from './evaluations.service.js';

export const evaluationsApi = serves(EvaluationServiceDefinition, [EvaluationsService], (evaluations) => ({
  getEvaluation: (request) => evaluations.get(request),
  listEvaluations: (request) => evaluations.list(request),
  getComparison: (request) => evaluations.compare(request),
}));
