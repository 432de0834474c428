import { Accordion, SimpleGrid, Text } from '@mantine/core';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { leaves, valueAt, type Json, type JsonObject } from '../../recipe-json';
import { plainWords } from '../../words';
import { optionalParts, presetRecipe } from './draft';
import { RecipeField } from './recipe-field';

const important: [path: string, label: string, description?: string][] = [
  ['seed', 'Seed'],
  ['prefer.max_images', 'Images to use', '0 takes all'],
  ['prefer.corrupted_probability', 'Share of corrupted images', 'the rest: misleading prompts'],
  ['dpo.beta', 'DPO beta'],
  ['dpo.chosen_weight', 'Weight of the chosen text'],
  ['dpo.lora.rank', 'LoRA rank'],
  ['dpo.optimizer.learning_rate', 'DPO learning rate'],
  ['dpo.optimizer.epochs', 'DPO epochs'],
  ['dpo.optimizer.batch_size', 'DPO pairs per step'],
  ['describe.max_rows', 'Instruction rows to use', '0 takes all'],
  ['sft.optimizer.learning_rate', 'SFT learning rate'],
  ['sft.optimizer.epochs', 'SFT epochs'],
  ['evaluate.max_items', 'Items per benchmark', '0 takes all'],
  ['evaluate.sample_images', 'Sample images'],
];

// Filled in by the server, or chosen elsewhere in the form.
const hidden = new Set(['preset', 'model.path', 'model.digest', 'model.architecture', 'model.template_hash', 'prompts.digest']);

/** What the parts of the form get that change the recipe. */
export interface RecipePartProps {
  preset: Preset;
  /** The preset's, with what was changed. */
  recipe: JsonObject;
  /** What the server objects to at a path. */
  errorAt: (path: string) => string | undefined;
  onEdit: (path: string, value: Json) => void;
}

/** The fields people change, then every field of the recipe under a disclosure, built from the recipe itself. */
export function RecipeFields({ preset, recipe, errorAt, onEdit }: RecipePartProps) {
  const base = presetRecipe(preset);

  const field = (path: string, label: string, description?: string) => (
    <RecipeField
      key={`${preset.name}/${path}`}
      path={path}
      label={label}
      description={description}
      base={valueAt(base, path) ?? null}
      value={valueAt(recipe, path) ?? null}
      error={errorAt(path)}
      onChange={(value) => {
        onEdit(path, value);
      }}
    />
  );

  return (
    <>
      <SimpleGrid cols={{ base: 2, lg: 3 }} spacing="sm">
        {important.map(([path, label, description]) => field(path, label, description))}
      </SimpleGrid>
      <Accordion variant="contained" chevronPosition="left">
        <Accordion.Item value="all">
          <Accordion.Control>All fields</Accordion.Control>
          <Accordion.Panel>
            {groups(base).map(([group, paths]) => (
              <section key={group} aria-label={group}>
                <Text fw={600} mt="md" mb={4}>
                  {group}
                </Text>
                <SimpleGrid cols={{ base: 2, lg: 3 }} spacing="sm">
                  {paths.map((path) => field(path, plainWords(path.slice(path.indexOf('.') + 1).replaceAll('.', ' · '))))}
                </SimpleGrid>
              </section>
            ))}
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </>
  );
}

/** Leaf paths by their first name; those on the recipe itself come first, as "recipe". */
function groups(recipe: JsonObject): [string, string[]][] {
  const paths = leaves(recipe)
    .map(([path]) => path)
    .filter((path) => !hidden.has(path) && !optionalParts.includes(path.split('.')[0] ?? ''));
  const byName = Map.groupBy(paths, (path) => (path.includes('.') ? (path.split('.')[0] ?? '') : 'recipe'));
  return [...byName];
}
