import type { RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';
import { invalid } from '../platform/errors.js';

export const LARGEST_RULE = 36_500;

/** Without rules nothing would say that everything may go. */
export function checkedRules(rules: RetentionRules | undefined): RetentionRules {
  if (!rules) throw invalid('rules', 'rules is missing.', 'Say what to keep; 0 switches a rule off.');
  for (const [name, field] of [
    ['keep_last_per_schedule', rules.keepLastPerSchedule],
    ['keep_best_per_benchmark', rules.keepBestPerBenchmark],
    ['keep_days', rules.keepDays],
  ] as const) {
    if (field < 0 || field > LARGEST_RULE) throw invalid(`rules.${name}`, `rules.${name} must be from 0 to ${LARGEST_RULE}.`);
  }
  return rules;
}
