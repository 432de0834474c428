import type { ScheduleInput, ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { CatchUpPolicy, OverlapPolicy } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { invalid } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { checkedName, refuseNul } from '../platform/text.js';
import { FireTimes } from './fire-times.js';

const defaultWindowSeconds = 86_400;
const longestSeconds = 366 * 86_400;

/** The settings of a request, checked and with their defaults, but for recipe and datasets: those are the run's to judge. */
export function checkedSpec(given: ScheduleSpec | undefined, now: Date): ScheduleSpec {
  if (!given) throw invalid('spec', 'The request has no spec.');
  refuseNul(given);
  const name = checkedName('name', given.name);
  const cron = given.cron.trim();
  const times = new FireTimes(cron, given.zone);
  if (!times.next(now)) throw invalid('cron', `"${shown(cron)}" never comes true again.`);
  return {
    ...given,
    name,
    cron,
    inputs: given.inputs.map(checkedInput),
    overlap: chosen('overlap', given.overlap, OverlapPolicy, OverlapPolicy.OVERLAP_POLICY_SKIP),
    catchUp: chosen('catch_up', given.catchUp, CatchUpPolicy, CatchUpPolicy.CATCH_UP_POLICY_NONE),
    catchUpWindowSeconds: seconds('catch_up_window_seconds', given.catchUpWindowSeconds) || defaultWindowSeconds,
    jitterSeconds: seconds('jitter_seconds', given.jitterSeconds),
    pauseAfterFailures: count('pause_after_failures', given.pauseAfterFailures),
    deadlineSeconds: seconds('deadline_seconds', given.deadlineSeconds),
  };
}

function checkedInput(input: ScheduleInput, index: number): ScheduleInput {
  const field = (name: string): string => `inputs[${index}].${name}`;
  const minimumItems = count(field('minimum_items'), input.minimumItems);
  if (input.onlyNew && input.role !== 'images') throw invalid(field('only_new'), 'Only images can be limited to the new ones.');
  if (minimumItems > 0 && !input.onlyNew) {
    throw invalid(field('minimum_items'), 'A minimum counts new images.', 'Set only_new, or leave the minimum at 0.');
  }
  return { ...input, minimumItems: input.onlyNew ? Math.max(1, minimumItems) : 0 };
}

/** The value, or the default for UNSPECIFIED; a word that is none of the enum's is refused. */
function chosen<T extends string>(field: string, value: T, values: Record<string, T>, otherwise: T): T {
  if (value === 'UNRECOGNIZED') {
    const known = Object.values(values).filter((one) => one !== 'UNRECOGNIZED' && !one.endsWith('_UNSPECIFIED'));
    throw invalid(field, `${field} must be one of ${known.join(', ')}.`);
  }
  return value.endsWith('_UNSPECIFIED') ? otherwise : value;
}

function seconds(field: string, value: number): number {
  if (value > longestSeconds) throw invalid(field, `${field} is ${value}; it must be at most ${longestSeconds}, a year.`);
  return count(field, value);
}

function count(field: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1)
    throw invalid(field, `${field} is ${value}; it must be a whole number, 0 or more.`);
  return value;
}
