import { Select, Stack, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { asText, valueAt, type Json } from '../../recipe-json';
import { Section } from '../../ui/layout';
import { draftRecipe, keptEdits, withEdit, type DraftFieldsProps } from './draft';
import { PlacementFields } from './placement-fields';
import { PromotionFields } from './promotion-fields';
import { RecipeFields } from './recipe-fields';
import { StartPointFields } from './start-point-fields';

interface RecipeFormProps extends DraftFieldsProps {
  presets: Preset[];
  preset: Preset;
  note?: string;
  /** Stands above the recipe. */
  children?: ReactNode;
}

/** What is run, what becomes of the result, and where: the same for a run and for a schedule. */
export function RecipeForm({ presets, preset, note, children, ...fields }: RecipeFormProps) {
  const { draft, errorAt, onChange } = fields;
  const recipe = draftRecipe(draft, preset);
  const edit = (path: string, value: Json) => {
    onChange({ edits: withEdit(draft, preset, path, value) });
  };
  const parts = { preset, recipe, errorAt, onEdit: edit };
  return (
    <>
      <Section title="Recipe" note={note}>
        <Stack gap="sm">
          {children}
          {presets.length > 1 && (
            <Select
              label="Preset"
              description={preset.description}
              data={presets.map(({ name }) => name)}
              value={preset.name}
              allowDeselect={false}
              onChange={(name) => {
                onChange({ preset: name ?? '', edits: keptEdits(draft) });
              }}
            />
          )}
          <TextInput
            label="Base model"
            description="Absolute path of a Hugging Face model's folder on the trainer's host, or embedded:world"
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
            value={asText(valueAt(recipe, 'model.path'))}
            error={errorAt('model.path')}
            onChange={(event) => {
              edit('model.path', event.currentTarget.value);
            }}
          />
          <StartPointFields {...parts} />
          <RecipeFields {...parts} />
        </Stack>
      </Section>
      <Section title="Promotion">
        <PromotionFields {...parts} />
      </Section>
      <Section title="Placement">
        <PlacementFields {...fields} />
      </Section>
    </>
  );
}
