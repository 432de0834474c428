import { Checkbox, SimpleGrid, Stack, Switch } from '@mantine/core';
import { asText, valueAt, type Json, type JsonObject } from '../../recipe-json';
import { rangeOf } from '../../recipe-schema';
import { AliasField } from './alias-field';
import { presetRecipe } from './draft';
import { compact, NumberField } from './recipe-field';
import type { RecipePartProps } from './recipe-fields';

/** A rule to begin with, where the preset has none. */
const firstGate: JsonObject = { alias: 'champion', max_drop: 1, min_mean_gain: 0.5, require_approval: false };

/** The gate at the end of a recipe. */
export function PromotionFields({ preset, recipe, errorAt, onEdit }: RecipePartProps) {
  const gate = (recipe['gate'] ?? null) as JsonObject | null;
  const ofPreset = presetRecipe(preset)['gate'];
  const edit = (field: string, value: Json) => {
    onEdit('gate', { ...gate, [field]: value });
  };
  const number = (field: string, label: string, description: string) => (
    <NumberField
      label={label}
      description={description}
      value={gate?.[field] ?? 0}
      error={errorAt(`gate.${field}`)}
      range={rangeOf(`gate.${field}`)}
      onChange={(value) => {
        edit(field, value);
      }}
    />
  );
  return (
    <Stack gap="sm">
      <Switch
        label="Promote the result when it is good enough"
        description="After the evaluation the run's last checkpoint is compared with the champion on the benchmarks, and takes its place by this rule."
        checked={gate !== null}
        error={errorAt('gate')}
        onChange={(event) => {
          onEdit('gate', event.currentTarget.checked ? (ofPreset ?? firstGate) : null);
        }}
      />
      {gate && (
        <>
          <SimpleGrid cols={3} spacing="sm">
            {number('max_drop', 'Worst drop allowed', 'Points that any one benchmark may lose, when it is more than chance.')}
            {number('min_mean_gain', 'Least mean gain', 'Points to be gained in the mean of all benchmarks.')}
            <AliasField
              {...compact}
              label="Alias"
              description="The name that moves to the new checkpoint."
              value={asText(valueAt(gate, 'alias'))}
              error={errorAt('gate.alias')}
              onChange={(alias) => {
                edit('alias', alias);
              }}
            />
          </SimpleGrid>
          <Checkbox
            label="Wait for approval"
            description="What the rule lets through is promoted when a person approves it on the Champion page."
            checked={gate['require_approval'] === true}
            onChange={(event) => {
              edit('require_approval', event.currentTarget.checked);
            }}
          />
        </>
      )}
    </Stack>
  );
}
