import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import type { EvaluationEntity } from '../model/index.js';

export function toScore(row: EvaluationEntity): EvaluationScore {
  const { benchmark, metric, primary, higherIsBetter, subject, mode, n, value, difference, low, high, majority, versus } = row;
  return { benchmark, metric, primary, higherIsBetter, subject, mode, n, value, difference, low, high, majority, versus };
}
