import path from 'node:path';
import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { leaves } from '../recipe/fields.js';
import { loadPresets } from '../recipe/presets.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { CliError } from './cli-error.js';
import { changed } from './recipe.js';
import { thrown } from '../../../test/support/expect.js';

const root = repositoryRoot();
const tiny = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts')).get('tiny')?.recipe as Recipe;

function refused(field: string, value: string, message: RegExp, hint: RegExp): void {
  expect(thrown(() => changed(tiny, [[field, value]]), CliError)).toMatchObject({
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
}

test('a field is set as what it holds, and nothing else changes', () => {
  const recipe = changed(tiny, [
    ['seed', '7'],
    ['dpo.optimizer.learning_rate', '1e-5'],
    ['model.path', '/models/7'],
    ['evaluate.modes', '["plain"]'],
  ]);
  const before = leaves(tiny);
  const differing = [...leaves(recipe)].filter(([field, value]) => JSON.stringify(before.get(field)) !== JSON.stringify(value));
  expect(differing).toStrictEqual([
    ['seed', 7],
    ['model.path', '/models/7'],
    ['dpo.optimizer.learning_rate', 1e-5],
    ['evaluate.modes', ['plain']],
  ]);
});

test('the last of two values for one field counts, and zero is a value', () => {
  expect(
    changed(tiny, [
      ['dpo.beta', '0.2'],
      ['dpo.beta', '0.3'],
    ]).dpo?.beta,
  ).toBe(0.3);
  expect(changed(tiny, [['evaluate.sample_images', '0']]).evaluate?.sampleImages).toBe(0);
});

test('a field that does not exist is refused with those that were probably meant', () => {
  refused(
    'optimizer.learning_rate',
    '1',
    /no field "optimizer\.learning_rate"/,
    /dpo\.optimizer\.learning_rate, sft\.optimizer\.learning_rate/,
  );
  refused('dpo.optimizer', '1', /no field "dpo\.optimizer"/, /dpo\.optimizer\.learning_rate/);
  refused('velocity', 'high', /no field "velocity"/, /recipes\/paper\.json/);
});

test('a value of another kind is refused', () => {
  refused('dpo.beta', 'much', /--set dpo\.beta: expected a number, got "much"/, /^$/);
  refused('evaluate.modes', 'plain', /--set evaluate\.modes: expected a list/, /evaluate\.modes=\["a","b"\]/);
});
