import { MetricSeries } from '@stic/api/gen/stic/runs/v1/runs.js';
import { seriesByName } from './series.js';

const of = (attemptId: string, points: [step: number, value: number][]): MetricSeries =>
  MetricSeries.fromPartial({ name: 'dpo/loss', attemptId, steps: points.map(([step]) => step), values: points.map(([, value]) => value) });

test('of a resumed series the last attempt that reached a step is seen, and the earlier one stays viewable', () => {
  const first = of('first', [
    [1, 0.7],
    [2, 0.6],
    [3, 0.55],
  ]);
  const second = of('second', [
    [2, 0.5],
    [3, 0.4],
  ]);
  const series = seriesByName([first, second]).get('dpo/loss');
  expect(series?.current).toStrictEqual([
    { step: 1, value: 0.7 },
    { step: 2, value: 0.5 },
    { step: 3, value: 0.4 },
  ]);
  expect([...(series?.earlier.keys() ?? [])]).toStrictEqual(['first']);
});

test('series of one attempt have no earlier ones, and each metric is by itself', () => {
  const loss = of('only', [[1, 0.7]]);
  const all = seriesByName([loss, { ...loss, name: 'sft/loss' }]);
  expect([...all.keys()]).toStrictEqual(['dpo/loss', 'sft/loss']);
  expect(all.get('dpo/loss')?.earlier.size).toBe(0);
});
