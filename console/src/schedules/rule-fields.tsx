import { Select, SimpleGrid, TextInput } from '@mantine/core';
import { CatchUpPolicy, OverlapPolicy } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { catchUpWord, overlapWord } from '../words';
import type { FieldsProps } from './when-fields';

const overlaps = [OverlapPolicy.OVERLAP_POLICY_SKIP, OverlapPolicy.OVERLAP_POLICY_QUEUE, OverlapPolicy.OVERLAP_POLICY_CANCEL_PREVIOUS];
const catchUps = [CatchUpPolicy.CATCH_UP_POLICY_NONE, CatchUpPolicy.CATCH_UP_POLICY_LAST, CatchUpPolicy.CATCH_UP_POLICY_ALL];

type NumberField = 'catchUpHours' | 'jitterMinutes' | 'deadlineHours' | 'pauseAfter';

/** What happens on the nights that are not like the others. */
export function RuleFields({ draft, errorAt, onChange }: FieldsProps) {
  const number = (field: NumberField, path: string, label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      inputMode="decimal"
      value={draft[field]}
      error={errorAt(path)}
      onChange={(event) => {
        onChange({ [field]: event.currentTarget.value });
      }}
    />
  );
  return (
    <SimpleGrid cols={2} spacing="sm">
      <Select
        label="While the last run goes on"
        description="what a new time does"
        allowDeselect={false}
        data={overlaps.map((value) => ({ value, label: overlapWord(value) }))}
        value={draft.overlap}
        error={errorAt('overlap')}
        onChange={(overlap) => {
          onChange({ overlap: overlap ?? draft.overlap });
        }}
      />
      <Select
        label="Missed times"
        description="no server was running then"
        allowDeselect={false}
        data={catchUps.map((value) => ({ value, label: catchUpWord(value) }))}
        value={draft.catchUp}
        error={errorAt('catch_up')}
        onChange={(catchUp) => {
          onChange({ catchUp: catchUp ?? draft.catchUp });
        }}
      />
      {number('deadlineHours', 'deadline_seconds', 'Deadline', 'hours after the fire; 0 has none')}
      {number('catchUpHours', 'catch_up_window_seconds', 'Window', 'hours; older times are not caught up')}
      {number('pauseAfter', 'pause_after_failures', 'Pause after failures', 'in a row; 0 never pauses')}
      {number('jitterMinutes', 'jitter_seconds', 'Jitter', 'minutes; spreads schedules of the same time')}
    </SimpleGrid>
  );
}
