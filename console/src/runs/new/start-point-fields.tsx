import { Select, SimpleGrid, TextInput } from '@mantine/core';
import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { asText, valueAt } from '../../recipe-json';
import { AliasField } from './alias-field';
import type { RecipePartProps } from './recipe-fields';

const { START_POINT_BASE: base, START_POINT_ALIAS: alias, START_POINT_CHECKPOINT: checkpoint } = StartPoint;

const points = [
  { value: base, label: 'the base model, as in the paper' },
  { value: alias, label: 'a promoted checkpoint' },
  { value: checkpoint, label: 'a checkpoint by its id' },
];

/** Where the training begins. */
export function StartPointFields({ recipe, errorAt, onEdit }: RecipePartProps) {
  const point = [alias, checkpoint].find((one) => one === valueAt(recipe, 'start_from.point')) ?? base;
  const startAt = (name: string) => {
    onEdit('start_from', { point: alias, alias: name });
  };
  const startFrom = (id: string) => {
    onEdit('start_from', { point: checkpoint, checkpoint_id: id });
  };
  return (
    <SimpleGrid cols={point === base ? 1 : 2} spacing="sm">
      <Select
        label="Start from"
        description="The base model, or what earlier runs made of it"
        allowDeselect={false}
        data={points}
        value={point}
        error={errorAt('start_from.point')}
        onChange={(chosen) => {
          if (chosen === alias) startAt('champion');
          else if (chosen === checkpoint) startFrom('');
          else onEdit('start_from', null);
        }}
      />
      {point === checkpoint && (
        <TextInput
          label="Checkpoint"
          description="Its id, as in the address of its page; the recipe's adapter must have its shape"
          value={asText(valueAt(recipe, 'start_from.checkpoint_id'))}
          error={errorAt('start_from.checkpoint_id')}
          onChange={(event) => {
            startFrom(event.currentTarget.value.trim());
          }}
        />
      )}
      {point === alias && (
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
