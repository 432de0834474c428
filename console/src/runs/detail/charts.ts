import metrics from '../../../../recipes/generated/metrics.json';
import type { ChartLine } from './metric-chart';

export interface ChartPlan {
  title: string;
  meaning: string;
  lines: ChartLine[];
  zeroLine?: boolean;
}

type Metric = (typeof metrics)[number];

const known = new Set(metrics.map(({ name }) => name));
const colors = 4;

/** The charts of a stage's metrics, most telling first. */
export function chartsOf(stage: string): ChartPlan[] {
  const groups = Map.groupBy(
    metrics.filter((metric) => metric.stage === stage),
    ({ chart }) => chart,
  );
  return [...groups.values()].map(chartOf);
}

/** A plain chart for every metric that the catalogue does not have. */
export function otherCharts(names: Iterable<string>): ChartPlan[] {
  return [...names].filter((name) => !known.has(name)).map((name) => ({ title: name, meaning: '', lines: [line(name, name, 0)] }));
}

function chartOf(group: Metric[], position: number): ChartPlan {
  const [first] = group;
  const units = first?.unit ? ` (${first.unit})` : '';
  return {
    title: first?.chart ?? '',
    meaning: `${group.map(({ meaning }) => meaning).join(' ')}${units}`,
    lines: group.map(({ name, label }, index) => line(name, label, group.length > 1 ? index : position)),
    zeroLine: first?.zero_line,
  };
}

const line = (metric: string, label: string, color: number): ChartLine => ({
  metric,
  label,
  color: `var(--series-${String((color % colors) + 1)})`,
});
