import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import { modeWord, plainWords, subjectWord } from '../../words';
import { IntervalPlot, type Interval } from './interval-plot';
import { armKey, arms, isReference, scoreRows, type Arm } from './scores';

/** Each arm's difference to base plain on each benchmark's headline metric: a dot with its 95 % interval, beside a line at zero. */
export function ComparisonPicture({ scores }: { scores: EvaluationScore[] }) {
  const compared = arms(scores).filter((arm) => !isReference(arm));
  const groups = scoreRows(scores)
    .filter((row) => row.primary)
    .map((row) => ({
      title: `${row.benchmark} (${plainWords(row.metric)})`,
      intervals: compared.flatMap((arm) => {
        const score = row.cells.get(armKey(arm));
        return score ? [interval(arm, score)] : [];
      }),
    }));
  return <IntervalPlot label="Differences to the base model with their intervals" groups={groups} />;
}

function interval(arm: Arm, { difference, low, high, higherIsBetter }: EvaluationScore): Interval {
  const label = `${subjectWord(arm.subject)}, ${modeWord(arm.mode)}`;
  return higherIsBetter ? { label, gain: difference, low, high } : { label, gain: -difference, low: -high, high: -low };
}
