import path from 'node:path';
import { repositoryRoot } from '../platform/config/repository.js';
import { DomainError } from '../platform/errors.js';
import { withChanges } from './changes.js';
import { changesBetween } from './differences.js';
import { loadPresets } from './presets.js';
import { fail, thrown } from '../../../test/support/expect.js';

const root = repositoryRoot();
const recipe = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts')).get('tiny')?.recipe ?? fail('no preset tiny');

test('fields are set by path, and what was changed can be read off both recipes', () => {
  const changed = withChanges(recipe, { seed: '7', 'dpo.lora.target_modules': '["q_proj"]', 'model.path': '"/models/a"' });
  expect(changed.seed).toBe(7);
  expect(changed.dpo?.lora?.targetModules).toStrictEqual(['q_proj']);
  expect(changesBetween(recipe, changed).map(({ field, to }) => `${field} ${to}`)).toStrictEqual([
    'seed 7',
    'model.path /models/a',
    'dpo.lora.target_modules q_proj',
  ]);
  expect(changesBetween(recipe, { ...recipe, preset: 'other' })).toStrictEqual([]);
  expect(recipe.seed, 'the recipe itself is left as it was').toBe(42);
});

test('a part that only one of two recipes has is a change, whichever has it', () => {
  const gated = { ...recipe, gate: { alias: 'best', maxDrop: 2, minMeanGain: 0, requireApproval: true } };
  const added = changesBetween(recipe, gated);
  expect(added.map(({ field, from, to }) => [field, from, to])).toStrictEqual([
    ['gate.alias', '', 'best'],
    ['gate.max_drop', '', '2'],
    ['gate.min_mean_gain', '', '0'],
    ['gate.require_approval', '', 'true'],
  ]);
  expect(changesBetween(gated, recipe)).toStrictEqual(added.map(({ field, from, to }) => ({ field, from: to, to: from })));
});

test('a field that does not exist, is no JSON or holds something else is refused by its name', () => {
  const refused = (field: string, value: string, message: RegExp): void => {
    expect(thrown(() => withChanges(recipe, { [field]: value }), DomainError)).toMatchObject({
      field: `changes[${field}]`,
      message: expect.stringMatching(message),
    });
  };
  refused('dpo.gamma', '1', /no field dpo\.gamma/);
  refused('dpo', '{}', /no field dpo/);
  refused('seed', '"7"', /holds a number, and "7" is a string/);
  refused('model.path', '/models/a', /is not JSON/);
});
