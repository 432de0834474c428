import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { graph, needs, nodeOf, plan } from './graph.js';

const words = (roles: string[]): string[] => plan(roles).map((node) => node.word);

test('a run with instructions has all six stages in order', () => {
  assert.deepEqual(words(['images', 'instructions', 'benchmark']), ['prefer', 'dpo', 'describe', 'infuse', 'sft', 'evaluate']);
});

test('without instructions a run ends after stage 1', () => {
  assert.deepEqual(words(['images']), ['prefer', 'dpo', 'evaluate']);
});

test('a run whose pairs are given begins with their training, with or without images to describe', () => {
  assert.deepEqual(words(['preferences']), ['dpo', 'evaluate']);
  assert.deepEqual(words(['images', 'preferences', 'instructions']), ['dpo', 'describe', 'infuse', 'sft', 'evaluate']);
  assert.deepEqual(needs(nodeOf(StageKind.STAGE_KIND_DPO), plan(['preferences'])), []);
});

test('a stage waits for those it reads from and that the run has', () => {
  const short = plan(['images']);
  const whole = plan(['images', 'instructions']);
  const evaluate = nodeOf(StageKind.STAGE_KIND_EVALUATE);
  assert.deepEqual(needs(evaluate, short), [StageKind.STAGE_KIND_DPO]);
  assert.deepEqual(needs(evaluate, whole), [StageKind.STAGE_KIND_DPO, StageKind.STAGE_KIND_SFT]);
  assert.deepEqual(needs(nodeOf(StageKind.STAGE_KIND_PREFER), whole), []);
});

test('every source of a stage comes before it', () => {
  for (const [position, node] of graph.entries()) {
    const earlier = graph.slice(0, position).map((one) => one.kind);
    for (const source of node.inputs)
      if (source.from === 'artifact') assert.ok(earlier.includes(source.stage), `${node.word} reads ${source.name}`);
  }
});
