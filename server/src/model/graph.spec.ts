import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { graph, needs, nodeOf, plan } from './graph.js';

const words = (roles: string[]): string[] => plan(roles).map((node) => node.word);

test('a run with instructions has all six stages in order', () => {
  expect(words(['images', 'instructions', 'benchmark'])).toStrictEqual(['prefer', 'dpo', 'describe', 'infuse', 'sft', 'evaluate']);
});

test('without instructions a run ends after stage 1', () => {
  expect(words(['images'])).toStrictEqual(['prefer', 'dpo', 'evaluate']);
});

test('a run whose pairs are given begins with their training, with or without images to describe', () => {
  expect(words(['preferences'])).toStrictEqual(['dpo', 'evaluate']);
  expect(words(['images', 'preferences', 'instructions'])).toStrictEqual(['dpo', 'describe', 'infuse', 'sft', 'evaluate']);
  expect(needs(nodeOf(StageKind.STAGE_KIND_DPO), plan(['preferences']))).toStrictEqual([]);
});

test('a stage waits for those it reads from and that the run has', () => {
  const short = plan(['images']);
  const whole = plan(['images', 'instructions']);
  const evaluate = nodeOf(StageKind.STAGE_KIND_EVALUATE);
  expect(needs(evaluate, short)).toStrictEqual([StageKind.STAGE_KIND_DPO]);
  expect(needs(evaluate, whole)).toStrictEqual([StageKind.STAGE_KIND_DPO, StageKind.STAGE_KIND_SFT]);
  expect(needs(nodeOf(StageKind.STAGE_KIND_PREFER), whole)).toStrictEqual([]);
});

test('every source of a stage comes before it', () => {
  for (const [position, node] of graph.entries()) {
    const earlier = graph.slice(0, position).map((one) => one.kind);
    for (const source of node.inputs)
      if (source.from === 'artifact') expect(earlier, `${node.word} reads ${source.name}`).toContain(source.stage);
  }
});
