import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type {
  Comparison,
  Evaluation,
  GetComparisonRequest,
  GetEvaluationRequest,
  ListEvaluationsRequest,
  ListEvaluationsResponse,
} from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { EvaluationEntity, RunEntity } from '../model/index.js';
import { notFound } from '../platform/errors.js';
import { paginate } from '../platform/filter/index.js';
import { checkId } from '../platform/pages.js';
import { evaluationList } from './evaluation.list.js';
import { findingsOf } from './findings.js';
import { toScore } from './score.js';

/** stic.evaluations.v1.EvaluationService. */
@Injectable()
export class EvaluationsService {
  constructor(private readonly db: DataSource) {}

  async get({ evaluationId }: GetEvaluationRequest): Promise<Evaluation> {
    checkId('evaluation_id', evaluationId);
    const row = await this.db.manager.findOneBy(EvaluationEntity, { id: evaluationId });
    if (!row) throw notFound(`There is no evaluation ${evaluationId}.`, 'evaluation_id');
    return toEvaluation(row);
  }

  async list(request: ListEvaluationsRequest): Promise<ListEvaluationsResponse> {
    const query = this.db.manager.createQueryBuilder(EvaluationEntity, 'evaluation');
    query.where(`evaluation.versus = ''`);
    if (request.runId !== '') query.andWhere('evaluation.runId = :runId', { runId: checked('run_id', request.runId) });
    if (request.checkpointId !== '') {
      query.andWhere('evaluation.checkpointId = :checkpointId', { checkpointId: checked('checkpoint_id', request.checkpointId) });
    }
    const { page, nextPageToken } = await paginate(query, evaluationList, request);
    return { evaluations: page.map(toEvaluation), nextPageToken };
  }

  async compare({ runId }: GetComparisonRequest): Promise<Comparison> {
    checkId('run_id', runId);
    if (!(await this.db.manager.existsBy(RunEntity, { id: runId }))) throw notFound(`There is no run ${runId}.`, 'run_id');
    const rows = await this.db.manager.find(EvaluationEntity, { where: { runId }, order: { seq: 'ASC' } });
    const scores = rows.filter((row) => row.versus === '').map(toScore);
    const againstChampion = rows.filter((row) => row.versus !== '').map(toScore);
    return { runId, scores, findings: findingsOf(scores), againstChampion };
  }
}

function checked(field: string, id: string): string {
  checkId(field, id);
  return id;
}

function toEvaluation(row: EvaluationEntity): Evaluation {
  return { id: row.id, runId: row.runId, checkpointId: row.checkpointId ?? '', score: toScore(row), createdAt: row.createdAt };
}
