import path from 'node:path';
import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { copyRecipe } from '../recipe/fields.js';
import { loadPresets } from '../recipe/presets.js';
import { warningsOf } from './freeze.js';
import { ensure } from '../../../test/support/expect.js';

const presets = loadPresets(path.join(repositoryRoot(), 'recipes'), path.join(repositoryRoot(), 'prompts'));

function about(preset: string, words: RegExp): string[] {
  const recipe: Recipe | undefined = presets.get(preset)?.recipe;
  ensure(recipe);
  return warningsOf(copyRecipe(recipe), []).filter((warning) => words.test(warning));
}

test('a run that follows the published code is told in what, each deviation by its field', () => {
  const warnings = about('official-code', /published code/);
  expect(warnings.map((warning) => /: (\S+)\.$/.exec(warning)?.[1])).toStrictEqual([
    'dpo.omit_image',
    'dpo.score_strongest_token',
    'prefer.show_clean_image',
  ]);
  expect(about('paper', /published code/)).toStrictEqual([]);
});

test('a control arm says that it must make the model worse', () => {
  expect(about('tiny-swapped', /must make the model worse/)).toHaveLength(1);
  expect(about('tiny', /worse/)).toStrictEqual([]);
});
