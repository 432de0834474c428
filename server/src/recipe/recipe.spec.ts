import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { DpoObjective, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { DomainError } from '../platform/errors.js';
import { canonicalJson } from './canonical.js';
import { readCorruptions } from './corruptions.js';
import { differencesFromPaper } from './differences.js';
import { copyRecipe, leaves, recipeDigest, wholeJson } from './fields.js';
import { loadPresets, loadPrompts } from './presets.js';
import { validateRecipe } from './validate.js';

const root = repositoryRoot();
const presets = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts'));

function preset(name: string): Recipe {
  const recipe = presets.get(name)?.recipe;
  assert.ok(recipe, `no preset ${name}`);
  return copyRecipe(recipe);
}

function refusal(change: (recipe: Recipe) => void): DomainError {
  const recipe = preset('tiny');
  change(recipe);
  try {
    validateRecipe(recipe);
  } catch (error) {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    return error;
  }
  return assert.fail('the recipe was accepted');
}

/** Copies of the repository's recipes with one file more or other. */
function withRecipe(name: string, text: string): () => unknown {
  return () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'recipes-'));
    try {
      writeFileSync(
        path.join(folder, 'paper.json'),
        JSON.stringify({ ...(wholeJson(preset('paper')) as object), preset: '', description: '' }),
      );
      writeFileSync(path.join(folder, name), text);
      return loadPresets(folder, path.join(root, 'prompts'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

test('the paper preset states the figures of the paper', () => {
  const { prefer, dpo, sft, evaluate, seed } = preset('paper');
  assert.equal(seed, 42);
  assert.deepEqual([prefer?.maxImages, prefer?.corruptedProbability], [6000, 0.5]);
  assert.deepEqual([dpo?.beta, dpo?.chosenWeight, dpo?.lora?.rank, dpo?.lora?.alpha], [0.1, 1 / 1024, 128, 256]);
  assert.deepEqual([dpo?.optimizer?.learningRate, dpo?.optimizer?.batchSize, sft?.optimizer?.learningRate], [1e-7, 8, 2e-5]);
  assert.deepEqual(evaluate?.modes, ['plain', 'dar']);
  assert.deepEqual(presets.get('paper')?.differences, []);
});

test('a preset that extends another states only its differences, and keeps the rest', () => {
  const tiny = preset('tiny');
  assert.equal(tiny.prefer?.generation?.temperature, 0.2);
  assert.equal(tiny.prefer.generation.maxNewTokens, 80);
  assert.equal(preset('tiny-swapped').dpo?.objective, DpoObjective.DPO_OBJECTIVE_SWAPPED);
  assert.equal(preset('tiny-swapped').dpo?.lora?.rank, tiny.dpo?.lora?.rank);
  assert.deepEqual([...presets.keys()].slice(0, 2), ['paper', 'tiny']);
});

test('differences name field, paper and run, and count the prompt texts as one', () => {
  const differences = differencesFromPaper(preset('paper'), preset('tiny'));
  assert.deepEqual(differences[0], { field: 'prompts', paper: 'stic', run: 'world' });
  assert.deepEqual(
    differences.find((one) => one.field === 'dpo.optimizer.learning_rate'),
    { field: 'dpo.optimizer.learning_rate', paper: '1e-7', run: '0.0001' },
  );
  assert.equal(
    differences.find((one) => one.field === 'dpo.beta'),
    undefined,
  );
});

test('a refused field is named with its path, its value and what is allowed', () => {
  const rate = refusal((recipe) => recipe.dpo?.optimizer && (recipe.dpo.optimizer.learningRate = 0));
  assert.equal(rate.field, 'dpo.optimizer.learning_rate');
  assert.match(rate.message, /is 0; it must be a number above 0, at most 1/);
  assert.equal(refusal((recipe) => recipe.infuse && (recipe.infuse.template = '{question}')).field, 'infuse.template');
  assert.equal(refusal((recipe) => recipe.prompts?.plain.push('<image> Describe.')).field, 'prompts.plain');
  assert.equal(refusal((recipe) => recipe.evaluate && (recipe.evaluate.modes = ['dar'])).field, 'evaluate.modes');
  assert.equal(
    refusal((recipe) => recipe.prefer?.corruptions[0] && (recipe.prefer.corruptions[0].name = 'fog')).field,
    'prefer.corruptions[0].name',
  );
  assert.equal(
    refusal((recipe) => recipe.prefer?.corruptions[1] && (recipe.prefer.corruptions[1].parameters = { brightness: 0.5, hue: 0.9 })).field,
    'prefer.corruptions[1].parameters.hue',
  );
  assert.equal(refusal((recipe) => (recipe.sft = undefined)).field, 'sft.optimizer.learning_rate');
});

test('the preset official-code lists what the published code does otherwise, and nothing else', () => {
  assert.deepEqual(presets.get('official-code')?.differences, [
    { field: 'prefer.show_clean_image', paper: 'false', run: 'true' },
    { field: 'dpo.score_strongest_token', paper: 'false', run: 'true' },
    { field: 'dpo.omit_image', paper: 'false', run: 'true' },
  ]);
});

test('a recipe without its levers is refused, since their absence would switch them off', () => {
  assert.equal(refusal((recipe) => (recipe.speed = undefined)).field, 'speed.share_prefix');
});

test('every corruption of the trainer may be used, within its ranges', () => {
  const parameters: Record<string, Record<string, number>> = {
    blur: { radius_fraction: 0.1 },
    color_jitter: { brightness: 0.5, hue: 0.3 },
    jpeg: { quality: 5 },
    low_resolution: { shorter_side_px: 20 },
    mask: { side_fraction: 0.5 },
    noise: { share: 0.5 },
  };
  assert.deepEqual(Object.keys(readCorruptions()).sort(), Object.keys(parameters));
  const recipe = preset('tiny');
  assert.ok(recipe.prefer);
  recipe.prefer.corruptions = Object.entries(parameters).map(([name, values]) => ({ name, weight: 1, parameters: values }));
  validateRecipe(recipe);
  const quality = refusal((one) => one.prefer && (one.prefer.corruptions = [{ name: 'jpeg', weight: 1, parameters: { quality: 96 } }]));
  assert.equal(quality.field, 'prefer.corruptions[0].parameters.quality');
  assert.match(quality.message, /is 96; it must be a whole number from 1 to 95/);
});

test('a prompt set is added as a file, and named by what it says', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'prompts-'));
  try {
    const own = { version: 3, step_by_step: 'Look.', plain: ['Describe.'], misleading: ['Invent.'], describe_and_respond: 'Say.' };
    writeFileSync(path.join(folder, 'mine.json'), JSON.stringify({ name: 'mine', ...own }));
    writeFileSync(path.join(folder, 'same.json'), JSON.stringify({ name: 'same', ...own, version: 4 }));
    writeFileSync(path.join(folder, 'other.json'), JSON.stringify({ name: 'other', ...own, plain: ['Describe it.'] }));
    const sets = loadPrompts(folder);
    assert.deepEqual([...sets.keys()], ['mine', 'other', 'same']);
    assert.equal(sets.get('mine')?.version, 3);
    assert.equal(sets.get('mine')?.digest, sets.get('same')?.digest);
    assert.notEqual(sets.get('mine')?.digest, sets.get('other')?.digest);
    writeFileSync(path.join(folder, 'typo.json'), JSON.stringify({ ...own, plane: [] }));
    assert.throws(() => loadPrompts(folder), /prompt set typo, plane is not a field/);
    writeFileSync(path.join(folder, 'typo.json'), JSON.stringify({ ...own, plain: [] }));
    assert.throws(() => loadPrompts(folder), /Prompt set typo: Recipe field prompts\.plain is \[\]/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every number of the recipe is checked', () => {
  for (const [field, value] of leaves(preset('tiny'))) {
    if (typeof value !== 'number') continue;
    const error = refusal((recipe) => {
      const keys = field.split('.').map((key) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
      let at = recipe as unknown as Record<string, unknown>;
      for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[keys.at(-1) ?? ''] = -1;
    });
    assert.equal(error.field, field);
  }
});

test('digests depend on content, not on the order of keys', () => {
  assert.equal(canonicalJson({ b: [1, 'x'], a: { d: null, c: true } }), '{"a":{"c":true,"d":null},"b":[1,"x"]}');
  const recipe = preset('tiny');
  assert.equal(recipeDigest(recipe), recipeDigest(Recipe.fromJSON(wholeJson(recipe))));
  const other = copyRecipe(recipe);
  other.seed += 1;
  assert.notEqual(recipeDigest(recipe), recipeDigest(other));
  assert.match(recipe.prompts?.digest ?? '', /^[0-9a-f]{64}$/);
});

test('a preset that does not load fails loudly, with its name', () => {
  assert.throws(withRecipe('broken.json', '{'), /broken\.json is not JSON/);
  assert.throws(withRecipe('typo.json', '{"extends":"paper","dpo":{"betta":1}}'), /typo.*dpo\.betta is not a field/);
  assert.throws(withRecipe('orphan.json', '{"extends":"nowhere"}'), /orphan extends nowhere/);
  assert.throws(withRecipe('circle.json', '{"extends":"circle"}'), /circle -> circle/);
  assert.throws(withRecipe('wild.json', '{"extends":"paper","dpo":{"beta":0}}'), /wild.*dpo\.beta is 0/);
  assert.throws(withRecipe('mute.json', '{"extends":"paper","prompts":{"name":"none"}}'), /prompt set "none"/);
});
