import path from 'node:path';
import type { Recipe, StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { JobInput } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { repositoryRoot } from '../../platform/config/repository.js';
import { withChanges } from '../../recipe/changes.js';
import { wholeJson } from '../../recipe/fields.js';
import type { Json } from '../../recipe/canonical.js';
import { loadPresets } from '../../recipe/presets.js';
import { graph, nodeOf } from '../../model/graph.js';
import { stageKey } from './cache-key.js';
import { fail } from '../../../../test/support/expect.js';

const root = repositoryRoot();
const recipe = loadPresets(path.join(root, 'recipes'), path.join(root, 'prompts')).get('tiny')?.recipe ?? fail('no preset tiny');
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
    expect(keyOf(kind, recipe)).toBe(keyOf(kind, renamed));
  }
  expect(changedBy('retry.max_attempts', '7')).toStrictEqual([]);
  expect(new Set(kinds.map((kind) => keyOf(kind, recipe))).size, 'kinds never share a key').toBe(kinds.length);
});

test('what an older revision of a stage made has another key', () => {
  const values = wholeJson(recipe) as { [key: string]: Json };
  for (const node of graph)
    expect(stageKey({ ...node, revision: node.revision + 1 }, values, inputs)).not.toBe(stageKey(node, values, inputs));
});

test('a configuration changes the keys of the stages that read it and of no other', () => {
  expect(changedBy('prefer.max_images', '9')).toStrictEqual(['prefer']);
  expect(changedBy('dpo.beta', '0.3')).toStrictEqual(['dpo']);
  expect(changedBy('describe.max_rows', '9')).toStrictEqual(['describe', 'infuse']);
  expect(changedBy('infuse.template', '"{description} {question}"')).toStrictEqual(['infuse', 'evaluate']);
  expect(changedBy('sft.max_length', '99')).toStrictEqual(['sft']);
  expect(changedBy('evaluate.max_items', '9')).toStrictEqual(['evaluate']);
});

test('seed, model, template, prompt texts and inputs change every key', () => {
  const all = graph.map((node) => node.word);
  expect(changedBy('seed', '43')).toStrictEqual(all);
  expect(changedBy('model.digest', '"b"')).toStrictEqual(all);
  expect(changedBy('model.template_hash', '"b"')).toStrictEqual(all);
  expect(changedBy('prompts.digest', '"b"')).toStrictEqual(all);
  for (const kind of kinds) {
    const others = [{ sha256: 'b'.repeat(64) }, { role: 'pairs' }, { metadata: { template_hash: 'x' } }, { name: 'questions' }];
    for (const other of others) {
      expect(keyOf(kind, recipe)).not.toBe(keyOf(kind, recipe, [JobInput.fromPartial({ ...inputs[0], ...other })]));
    }
    expect(keyOf(kind, recipe)).not.toBe(keyOf(kind, recipe, [...inputs, ...inputs]));
  }
});

test('a recipe field that nobody here knows of counts', () => {
  const json = { ...(wholeJson(recipe) as object), novelty: 1 };
  for (const kind of kinds) expect(stageKey(nodeOf(kind), json, inputs)).not.toBe(keyOf(kind, recipe));
});
