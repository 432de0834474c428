import { Lineage } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { box, layOut, line } from './lineage-layout.js';
import { ensure } from '../../../test/support/expect.js';

const lineage = (ids: string[], edges: [from: string, to: string][]): Lineage =>
  Lineage.fromPartial({ nodes: ids.map((id) => ({ id })), edges: edges.map(([from, to]) => ({ from, to })) });

const layersOf = (graph: Lineage): Record<string, number> =>
  Object.fromEntries([...layOut(graph).placed].map(([id, { layer }]) => [id, layer]));

test('a node stands one layer below the last thing it was made from', () => {
  const graph = lineage(
    ['images', 'pairs', 'model', 'stage 1'],
    [
      ['images', 'pairs'],
      ['pairs', 'stage 1'],
      ['model', 'stage 1'],
    ],
  );
  expect(layersOf(graph)).toStrictEqual({ images: 0, pairs: 1, model: 1, 'stage 1': 2 });
});

test('boxes of a layer do not overlap and lie inside the picture', () => {
  const graph = lineage(
    ['a', 'b', 'c', 'end'],
    [
      ['a', 'end'],
      ['b', 'end'],
      ['c', 'end'],
    ],
  );
  const { placed, width } = layOut(graph);
  const lefts = ['a', 'b', 'c'].map((id) => placed.get(id)?.x ?? NaN).sort((left, right) => left - right);
  expect(
    lefts.filter((left, index) => !(left >= 0 && left + box.width <= width && (index === 0 || left - (lefts[index - 1] ?? 0) > box.width))),
  ).toStrictEqual([]);
});

test('a line over several layers runs beside the boxes and ends at a side', () => {
  const [node] = lineage(['a'], []).nodes;
  ensure(node);
  const below = line({ node, x: 0, y: 0, layer: 0 }, { node, x: 0, y: 88, layer: 1 });
  expect(below.endsWith(` ${String(box.width / 2)} 88`)).toBe(true);
  const far = line({ node, x: 0, y: 0, layer: 0 }, { node, x: 300, y: 176, layer: 2 });
  expect(far.endsWith(` 300 ${String(176 + box.height / 2)}`)).toBe(true);
});
