import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { draftOfPlace, draftRecipe, draftRequest, emptyDraft, formField, illFormed, keptEdits, withEdit } from './draft.js';

const preset = Preset.fromPartial({ name: 'tiny', recipe: { preset: 'tiny', seed: 7, dpo: { beta: 0.1, optimizer: { weightDecay: 0 } } } });
const draft = { ...emptyDraft, name: ' first ', images: 'pictures', benchmarks: ['one', 'two'] };

test('a request has the preset with the edits, zeros included', () => {
  const { name, recipe, inputs } = draftRequest({ ...draft, edits: { 'dpo.beta': 0, seed: 8 } }, preset);
  expect(name).toBe('first');
  expect([recipe?.dpo?.beta, recipe?.dpo?.optimizer?.weightDecay, recipe?.seed]).toStrictEqual([0, 0, 8]);
  expect(inputs).toStrictEqual([
    { role: 'images', datasetId: 'pictures' },
    { role: 'benchmark', datasetId: 'one' },
    { role: 'benchmark', datasetId: 'two' },
  ]);
});

test('a fork takes the inputs of its run and says its placement all the same', () => {
  const request = draftRequest({ ...draft, fork: 'other', priority: '3', labels: ['tag=a=b'], gpuMemory: '24' }, preset);
  expect(request.forkedFrom).toBe('other');
  expect(request.inputs).toBeUndefined();
  expect([request.priority, request.requires]).toStrictEqual([3, { labels: { tag: 'a=b' }, gpuMemoryGib: 24 }]);
  expect(draftOfPlace({ priority: 3, requires: { labels: { tag: 'a=b' }, gpuMemoryGib: 24 } })).toStrictEqual({
    priority: '3',
    labels: ['tag=a=b'],
    gpuMemory: '24',
  });
});

test('an edit back to the value of the preset is none', () => {
  const edited = { ...draft, edits: withEdit(draft, preset, 'dpo.beta', 0.2) };
  expect(edited.edits).toStrictEqual({ 'dpo.beta': 0.2 });
  expect(withEdit(edited, preset, 'dpo.beta', 0.1)).toStrictEqual({});
});

test('the choice of another preset keeps the start and the gate only', () => {
  const start = { point: StartPoint.START_POINT_ALIAS, alias: 'champion' };
  const edits = { 'dpo.beta': 0.2, start_from: start, gate: null };
  expect(keptEdits({ ...draft, edits })).toStrictEqual({ start_from: start, gate: null });
  expect(draftRecipe({ ...draft, edits: { start_from: start } }, preset)['start_from']).toStrictEqual(start);
});

test('names the fields that are no numbers and the labels that are none', () => {
  expect(illFormed(draft, preset)).toBe('');
  expect(illFormed({ ...draft, edits: { 'dpo.beta': 'much' }, priority: 'high' }, preset)).toBe('Not a number: dpo.beta, Priority.');
  expect(illFormed({ ...draft, labels: ['a100'] }, preset)).toMatch(/a100 is not/);
});

test("the server's field is found in the form, whatever request it was in", () => {
  for (const field of ['recipe.dpo.beta', 'spec.recipe.dpo.beta', 'dpo.beta']) expect(formField(field, draft)).toBe('dpo.beta');
  expect(formField('inputs[0].dataset_id', draft)).toBe('images');
  expect(formField('spec.inputs[2]', draft)).toBe('benchmark');
  expect(formField('inputs[0].minimum_items', draft)).toBe('minimum_items');
  expect(formField('spec.cron', draft)).toBe('cron');
});
