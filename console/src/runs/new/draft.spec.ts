import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { draftOfPlace, draftRecipe, draftRequest, emptyDraft, formField, illFormed, keptEdits, withEdit } from './draft.js';

const preset = Preset.fromPartial({ name: 'tiny', recipe: { preset: 'tiny', seed: 7, dpo: { beta: 0.1, optimizer: { weightDecay: 0 } } } });
const draft = { ...emptyDraft, name: ' first ', images: 'pictures', benchmarks: ['one', 'two'] };

test('a request has the preset with the edits, zeros included', () => {
  const { name, recipe, inputs } = draftRequest({ ...draft, edits: { 'dpo.beta': 0, seed: 8 } }, preset);
  assert.equal(name, 'first');
  assert.deepEqual([recipe?.dpo?.beta, recipe?.dpo?.optimizer?.weightDecay, recipe?.seed], [0, 0, 8]);
  assert.deepEqual(inputs, [
    { role: 'images', datasetId: 'pictures' },
    { role: 'benchmark', datasetId: 'one' },
    { role: 'benchmark', datasetId: 'two' },
  ]);
});

test('a fork takes the inputs of its run and says its placement all the same', () => {
  const request = draftRequest({ ...draft, fork: 'other', priority: '3', labels: ['tag=a=b'], gpuMemory: '24' }, preset);
  assert.equal(request.forkedFrom, 'other');
  assert.equal(request.inputs, undefined);
  assert.deepEqual([request.priority, request.requires], [3, { labels: { tag: 'a=b' }, gpuMemoryGib: 24 }]);
  assert.deepEqual(draftOfPlace({ priority: 3, requires: { labels: { tag: 'a=b' }, gpuMemoryGib: 24 } }), {
    priority: '3',
    labels: ['tag=a=b'],
    gpuMemory: '24',
  });
});

test('an edit back to the value of the preset is none', () => {
  const edited = { ...draft, edits: withEdit(draft, preset, 'dpo.beta', 0.2) };
  assert.deepEqual(edited.edits, { 'dpo.beta': 0.2 });
  assert.deepEqual(withEdit(edited, preset, 'dpo.beta', 0.1), {});
});

test('the choice of another preset keeps the start and the gate only', () => {
  const start = { point: StartPoint.START_POINT_ALIAS, alias: 'champion' };
  const edits = { 'dpo.beta': 0.2, start_from: start, gate: null };
  assert.deepEqual(keptEdits({ ...draft, edits }), { start_from: start, gate: null });
  assert.deepEqual(draftRecipe({ ...draft, edits: { start_from: start } }, preset)['start_from'], start);
});

test('names the fields that are no numbers and the labels that are none', () => {
  assert.equal(illFormed(draft, preset), '');
  assert.equal(illFormed({ ...draft, edits: { 'dpo.beta': 'much' }, priority: 'high' }, preset), 'Not a number: dpo.beta, Priority.');
  assert.match(illFormed({ ...draft, labels: ['a100'] }, preset), /a100 is not/);
});

test("the server's field is found in the form, whatever request it was in", () => {
  for (const field of ['recipe.dpo.beta', 'spec.recipe.dpo.beta', 'dpo.beta']) assert.equal(formField(field, draft), 'dpo.beta');
  assert.equal(formField('inputs[0].dataset_id', draft), 'images');
  assert.equal(formField('spec.inputs[2]', draft), 'benchmark');
  assert.equal(formField('inputs[0].minimum_items', draft), 'minimum_items');
  assert.equal(formField('spec.cron', draft), 'cron');
});
