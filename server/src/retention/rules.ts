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

/** Rules that delete: if every one is 0, whoever applies them has to say that nothing shall be kept. */
export function deletingRules(rules: RetentionRules | undefined): RetentionRules {
  const checked = checkedRules(rules);
  const keepsNothing = [checked.keepLastPerSchedule, checked.keepBestPerBenchmark, checked.keepDays].every((rule) => rule === 0);
  if (keepsNothing && !checked.keepNone)
    throw invalid('rules', 'These rules keep nothing: every one is 0.', 'Set a rule above 0, or rules.keep_none if that is meant.');
  return checked;
}
