import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DpoObjective, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { DomainError } from '../platform/errors.js';
import { canonicalJson } from './canonical.js';
import { readCorruptions } from './corruptions.js';
import { differencesFromPaper } from './differences.js';
import { copyRecipe, leaves, recipeDigest, wholeJson } from './fields.js';
import { loadPresets, loadPrompts } from './presets.js';
import { validateRecipe } from './validate.js';
import { ensure, fail } from '../../../test/support/expect.js';

const root = repositoryRoot();
const presets = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts'));

function preset(name: string): Recipe {
  const recipe = presets.get(name)?.recipe;
  ensure(recipe, `no preset ${name}`);
  return copyRecipe(recipe);
}

function refusal(change: (recipe: Recipe) => void): DomainError {
  const recipe = preset('tiny');
  change(recipe);
  try {
    validateRecipe(recipe);
  } catch (error) {
    ensure(error instanceof DomainError);
    expect(error.code).toBe('INVALID_ARGUMENT');
    return error;
  }
  return fail('the recipe was accepted');
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
  expect(seed).toBe(42);
  expect([prefer?.maxImages, prefer?.corruptedProbability]).toStrictEqual([6000, 0.5]);
  expect([dpo?.beta, dpo?.chosenWeight, dpo?.lora?.rank, dpo?.lora?.alpha]).toStrictEqual([0.1, 1 / 1024, 128, 256]);
  expect([dpo?.optimizer?.learningRate, dpo?.optimizer?.batchSize, sft?.optimizer?.learningRate]).toStrictEqual([1e-7, 8, 2e-5]);
  expect(evaluate?.modes).toStrictEqual(['plain', 'dar']);
  expect(presets.get('paper')?.differences).toStrictEqual([]);
});

test('a preset that extends another states only its differences, and keeps the rest', () => {
  const tiny = preset('tiny');
  ensure(tiny.prefer);
  expect(tiny.prefer.generation?.temperature).toBe(0.2);
  ensure(tiny.prefer.generation);
  expect(tiny.prefer.generation.maxNewTokens).toBe(80);
  expect(preset('tiny-swapped').dpo?.objective).toBe(DpoObjective.DPO_OBJECTIVE_SWAPPED);
  expect(preset('tiny-swapped').dpo?.lora?.rank).toBe(tiny.dpo?.lora?.rank);
  expect([...presets.keys()].slice(0, 2)).toStrictEqual(['paper', 'tiny']);
});

test('differences name field, paper and run, and count the prompt texts as one', () => {
  const differences = differencesFromPaper(preset('paper'), preset('tiny'));
  expect(differences[0]).toStrictEqual({ field: 'prompts', paper: 'stic', run: 'world' });
  expect(differences.find((one) => one.field === 'dpo.optimizer.learning_rate')).toStrictEqual({
    field: 'dpo.optimizer.learning_rate',
    paper: '1e-7',
    run: '0.0001',
  });
  expect(differences.find((one) => one.field === 'dpo.beta')).toBeUndefined();
});

test('a refused field is named with its path, its value and what is allowed', () => {
  const rate = refusal((recipe) => recipe.dpo?.optimizer && (recipe.dpo.optimizer.learningRate = 0));
  expect(rate.field).toBe('dpo.optimizer.learning_rate');
  expect(rate.message).toMatch(/is 0; it must be a number above 0, at most 1/);
  expect(refusal((recipe) => recipe.infuse && (recipe.infuse.template = '{question}')).field).toBe('infuse.template');
  expect(refusal((recipe) => recipe.prompts?.plain.push('<image> Describe.')).field).toBe('prompts.plain');
  expect(refusal((recipe) => recipe.evaluate && (recipe.evaluate.modes = ['dar'])).field).toBe('evaluate.modes');
  expect(refusal((recipe) => recipe.prefer?.corruptions[0] && (recipe.prefer.corruptions[0].name = 'fog')).field).toBe(
    'prefer.corruptions[0].name',
  );
  expect(
    refusal((recipe) => recipe.prefer?.corruptions[1] && (recipe.prefer.corruptions[1].parameters = { brightness: 0.5, hue: 0.9 })).field,
  ).toBe('prefer.corruptions[1].parameters.hue');
  expect(refusal((recipe) => (recipe.sft = undefined)).field).toBe('sft.optimizer.learning_rate');
});

test('the preset official-code lists what the published code does otherwise, and nothing else', () => {
  expect(presets.get('official-code')?.differences).toStrictEqual([
    { field: 'prefer.show_clean_image', paper: 'false', run: 'true' },
    { field: 'dpo.score_strongest_token', paper: 'false', run: 'true' },
    { field: 'dpo.omit_image', paper: 'false', run: 'true' },
  ]);
});

test('a recipe without its levers is refused, since their absence would switch them off', () => {
  expect(refusal((recipe) => (recipe.speed = undefined)).field).toBe('speed.share_prefix');
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
  expect(Object.keys(readCorruptions()).sort()).toStrictEqual(Object.keys(parameters));
  const recipe = preset('tiny');
  ensure(recipe.prefer);
  recipe.prefer.corruptions = Object.entries(parameters).map(([name, values]) => ({ name, weight: 1, parameters: values }));
  validateRecipe(recipe);
  const quality = refusal((one) => one.prefer && (one.prefer.corruptions = [{ name: 'jpeg', weight: 1, parameters: { quality: 96 } }]));
  expect(quality.field).toBe('prefer.corruptions[0].parameters.quality');
  expect(quality.message).toMatch(/is 96; it must be a whole number from 1 to 95/);
});

test('a prompt set is added as a file, and named by what it says', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'prompts-'));
  try {
    const own = { version: 3, step_by_step: 'Look.', plain: ['Describe.'], misleading: ['Invent.'], describe_and_respond: 'Say.' };
    writeFileSync(path.join(folder, 'mine.json'), JSON.stringify({ name: 'mine', ...own }));
    writeFileSync(path.join(folder, 'same.json'), JSON.stringify({ name: 'same', ...own, version: 4 }));
    writeFileSync(path.join(folder, 'other.json'), JSON.stringify({ name: 'other', ...own, plain: ['Describe it.'] }));
    const sets = loadPrompts(folder);
    expect([...sets.keys()]).toStrictEqual(['mine', 'other', 'same']);
    expect(sets.get('mine')?.version).toBe(3);
    expect(sets.get('mine')?.digest).toBe(sets.get('same')?.digest);
    expect(sets.get('mine')?.digest).not.toBe(sets.get('other')?.digest);
    writeFileSync(path.join(folder, 'typo.json'), JSON.stringify({ ...own, plane: [] }));
    expect(() => loadPrompts(folder)).toThrow(/prompt set typo, plane is not a field/);
    writeFileSync(path.join(folder, 'typo.json'), JSON.stringify({ ...own, plain: [] }));
    expect(() => loadPrompts(folder)).toThrow(/Prompt set typo: Recipe field prompts\.plain is \[\]/);
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
    expect(error.field).toBe(field);
  }
});

test('digests depend on content, not on the order of keys', () => {
  expect(canonicalJson({ b: [1, 'x'], a: { d: null, c: true } })).toBe('{"a":{"c":true,"d":null},"b":[1,"x"]}');
  const recipe = preset('tiny');
  expect(recipeDigest(recipe)).toBe(recipeDigest(Recipe.fromJSON(wholeJson(recipe))));
  const other = copyRecipe(recipe);
  other.seed += 1;
  expect(recipeDigest(recipe)).not.toBe(recipeDigest(other));
  expect(recipe.prompts?.digest ?? '').toMatch(/^[0-9a-f]{64}$/);
});

test('a preset that does not load fails loudly, with its name', () => {
  expect(withRecipe('broken.json', '{')).toThrow(/broken\.json is not JSON/);
  expect(withRecipe('typo.json', '{"extends":"paper","dpo":{"betta":1}}')).toThrow(/typo.*dpo\.betta is not a field/);
  expect(withRecipe('orphan.json', '{"extends":"nowhere"}')).toThrow(/orphan extends nowhere/);
  expect(withRecipe('circle.json', '{"extends":"circle"}')).toThrow(/circle -> circle/);
  expect(withRecipe('wild.json', '{"extends":"paper","dpo":{"beta":0}}')).toThrow(/wild.*dpo\.beta is 0/);
  expect(withRecipe('mute.json', '{"extends":"paper","prompts":{"name":"none"}}')).toThrow(/prompt set "none"/);
});
