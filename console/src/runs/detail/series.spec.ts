import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoredMetric } from '@stic/api/gen/stic/runs/v1/runs.js';
import { seriesByName, thin } from './series.js';

const at = (attemptId: string, step: number, value: number): StoredMetric =>
  StoredMetric.fromPartial({ attemptId, point: { name: 'dpo/loss', step, value } });

test('where two attempts reached a step, the last one is drawn and the first stays viewable', () => {
  const series = seriesByName([at('first', 1, 0.7), at('first', 2, 0.6), at('second', 2, 0.5), at('second', 3, 0.4)]).get('dpo/loss');
  assert.deepEqual(series?.current, [
    { step: 1, value: 0.7 },
    { step: 2, value: 0.5 },
    { step: 3, value: 0.4 },
  ]);
  assert.deepEqual(
    [...series.earlier],
    [
      [
        'first',
        [
          { step: 1, value: 0.7 },
          { step: 2, value: 0.6 },
        ],
      ],
    ],
  );
});

test('points are in the order of their steps', () => {
  const series = seriesByName([at('first', 3, 0.3), at('first', 1, 0.1)]).get('dpo/loss');
  assert.deepEqual(
    series?.current.map(({ step }) => step),
    [1, 3],
  );
});

test('a long series is thinned to the means of neighbouring steps', () => {
  const points = [1, 2, 3, 4, 5].map((step) => ({ step, value: step * 10 }));
  assert.deepEqual(thin(points, 3), [
    { step: 2, value: 15 },
    { step: 4, value: 35 },
    { step: 5, value: 50 },
  ]);
  assert.equal(thin(points, 5), points);
});
