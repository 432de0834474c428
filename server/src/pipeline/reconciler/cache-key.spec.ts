import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Recipe, StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { JobInput } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { repositoryRoot } from '../../platform/config/repository.js';
import { withChanges } from '../../recipe/changes.js';
import { wholeJson } from '../../recipe/fields.js';
import type { Json } from '../../recipe/canonical.js';
import { loadPresets } from '../../recipe/presets.js';
import { graph, nodeOf } from '../../model/graph.js';
import { stageKey } from './cache-key.js';

const root = repositoryRoot();
const recipe = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts')).get('tiny')?.recipe ?? assert.fail('no preset tiny');
const inputs = [JobInput.fromPartial({ role: 'images', sha256: 'a'.repeat(64) })];
const kinds = graph.map((node) => node.kind);

const keyOf = (kind: StageKind, of: Recipe, given = inputs): string =>
  stageKey(nodeOf(kind), wholeJson(of) as { [key: string]: Json }, given);

/** Words of the stages whose key another value changes. */
function changedBy(field: string, value: string): string[] {
  const other = withChanges(recipe, { [field]: value });
  return graph.filter(({ kind }) => keyOf(kind, recipe) !== keyOf(kind, other)).map((node) => node.word);
}

test('a stage has the same key for the same work, whatever the recipe is called and where its model lies', () => {
  for (const kind of kinds) {
    const renamed = { ...recipe, preset: 'nightly', model: { path: '/elsewhere', digest: '', architecture: '', templateHash: '' } };
    assert.equal(keyOf(kind, recipe), keyOf(kind, renamed));
  }
  assert.deepEqual(changedBy('retry.max_attempts', '7'), []);
  assert.equal(new Set(kinds.map((kind) => keyOf(kind, recipe))).size, kinds.length, 'kinds never share a key');
});

test('what an older revision of a stage made has another key', () => {
  const values = wholeJson(recipe) as { [key: string]: Json };
  for (const node of graph)
    assert.notEqual(stageKey({ ...node, revision: node.revision + 1 }, values, inputs), stageKey(node, values, inputs));
});

test('a configuration changes the keys of the stages that read it and of no other', () => {
  assert.deepEqual(changedBy('prefer.max_images', '9'), ['prefer']);
  assert.deepEqual(changedBy('dpo.beta', '0.3'), ['dpo']);
  assert.deepEqual(changedBy('describe.max_rows', '9'), ['describe', 'infuse']);
  assert.deepEqual(changedBy('infuse.template', '"{description} {question}"'), ['infuse', 'evaluate']);
  assert.deepEqual(changedBy('sft.max_length', '99'), ['sft']);
  assert.deepEqual(changedBy('evaluate.max_items', '9'), ['evaluate']);
});

test('seed, model, template, prompt texts and inputs change every key', () => {
  const all = graph.map((node) => node.word);
  assert.deepEqual(changedBy('seed', '43'), all);
  assert.deepEqual(changedBy('model.digest', '"b"'), all);
  assert.deepEqual(changedBy('model.template_hash', '"b"'), all);
  assert.deepEqual(changedBy('prompts.digest', '"b"'), all);
  for (const kind of kinds) {
    const others = [{ sha256: 'b'.repeat(64) }, { role: 'pairs' }, { metadata: { template_hash: 'x' } }, { name: 'questions' }];
    for (const other of others) {
      assert.notEqual(keyOf(kind, recipe), keyOf(kind, recipe, [JobInput.fromPartial({ ...inputs[0], ...other })]));
    }
    assert.notEqual(keyOf(kind, recipe), keyOf(kind, recipe, [...inputs, ...inputs]));
  }
});

test('a recipe field that nobody here knows of counts', () => {
  const json = { ...(wholeJson(recipe) as object), novelty: 1 };
  for (const kind of kinds) assert.notEqual(stageKey(nodeOf(kind), json, inputs), keyOf(kind, recipe));
});
