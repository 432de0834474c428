import { Select, SimpleGrid } from '@mantine/core';
import { StartPoint } from '../gen/stic/recipe/v1/recipe';
import { asText, valueAt } from '../recipe-json';
import { AliasField } from './alias-field';
import type { RecipePartProps } from './recipe-fields';

const { START_POINT_BASE: base, START_POINT_ALIAS: alias } = StartPoint;

const points = [
  { value: base, label: 'the base model, as in the paper' },
  { value: alias, label: 'a promoted checkpoint' },
];

/** Where the training begins. */
export function StartPointFields({ recipe, errorAt, onEdit }: RecipePartProps) {
  const promoted = valueAt(recipe, 'start_from.point') === alias;
  const startAt = (name: string) => {
    onEdit('start_from', { point: alias, alias: name });
  };
  return (
    <SimpleGrid cols={promoted ? 2 : 1} spacing="sm">
      <Select
        label="Start from"
        description="The base model, or what earlier runs made of it"
        allowDeselect={false}
        data={points}
        value={promoted ? alias : base}
        error={errorAt('start_from.point')}
        onChange={(point) => {
          if (point === alias) startAt('champion');
          else onEdit('start_from', null);
        }}
      />
      {promoted && (
        <AliasField
          label="Checkpoint"
          description="What this alias points at when the run is made"
          value={asText(valueAt(recipe, 'start_from.alias'))}
          error={errorAt('start_from.alias')}
          onChange={startAt}
        />
      )}
    </SimpleGrid>
  );
}
