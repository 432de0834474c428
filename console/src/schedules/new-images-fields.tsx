import { Checkbox, Stack, TextInput } from '@mantine/core';
import type { FieldsProps } from './when-fields';

/** Which of the dataset's images a fire takes. */
export function NewImagesFields({ draft, errorAt, onChange }: FieldsProps) {
  return (
    <Stack gap="xs">
      <Checkbox
        label="Import the images' source again before each fire"
        checked={draft.refresh}
        onChange={(event) => {
          onChange({ refresh: event.currentTarget.checked });
        }}
      />
      <Checkbox
        label="Only images added since this schedule's last success"
        checked={draft.onlyNew}
        onChange={(event) => {
          onChange({ onlyNew: event.currentTarget.checked });
        }}
      />
      {draft.onlyNew && (
        <TextInput
          label="At least so many new images"
          description="with fewer, nothing is run and the reason is noted"
          inputMode="numeric"
          maw={280}
          value={draft.minimum}
          error={errorAt('minimum_items')}
          onChange={(event) => {
            onChange({ minimum: event.currentTarget.value });
          }}
        />
      )}
    </Stack>
  );
}
