import { Group, Paper, Text } from '@mantine/core';
import { CartesianGrid, Line, LineChart, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { short } from '../../format';
import type { Point, Series } from './series';

export interface ChartLine {
  metric: string;
  label: string;
  color: string;
}

interface MetricChartProps {
  title: string;
  meaning: string;
  lines: ChartLine[];
  series: Map<string, Series>;
  showEarlier: boolean;
  /** Charts with the same group show the same step under the pointer. */
  group: string;
  zeroLine?: boolean;
}

const axisText = { fontSize: 11, fill: 'var(--mantine-color-dimmed)' };

/** One chart of one or two metrics over the optimizer steps. */
export function MetricChart({ title, meaning, lines, series, showEarlier, group, zeroLine }: MetricChartProps) {
  const drawn = lines.filter(({ metric }) => series.has(metric));
  if (drawn.length === 0) return null;
  return (
    <Paper withBorder p="sm" component="figure" m={0} aria-label={title} style={{ background: 'var(--panel)' }}>
      <Group justify="space-between" wrap="nowrap" align="baseline">
        <Text fw={600} fz="sm">
          {title}
        </Text>
        <Group gap="sm" wrap="nowrap">
          {drawn.map(({ metric, label, color }) => (
            <Latest key={metric} label={drawn.length > 1 ? label : ''} color={color} point={series.get(metric)?.current.at(-1)} />
          ))}
        </Group>
      </Group>
      <Text fz="xs" c="dimmed" mb={6}>
        {meaning}
      </Text>
      <ResponsiveContainer width="100%" height={180}>
        <LineChart syncId={group} syncMethod="value" margin={{ top: 4, right: 8, bottom: 0, left: 0 }}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis
            dataKey="step"
            height={22}
            type="number"
            domain={['dataMin', 'dataMax']}
            allowDuplicatedCategory={false}
            tick={axisText}
            stroke="var(--line)"
          />
          <YAxis width={52} tick={axisText} tickFormatter={short} stroke="var(--line)" domain={['auto', 'auto']} />
          <Tooltip
            isAnimationActive={false}
            formatter={(value) => short(Number(value))}
            labelFormatter={(step) => `step ${String(Number(step))}`}
            contentStyle={{
              background: 'var(--panel)',
              border: '1px solid var(--line)',
              fontSize: 12,
              padding: '4px 8px',
            }}
          />
          {zeroLine && <ReferenceLine y={0} stroke="var(--mantine-color-dimmed)" />}
          {showEarlier &&
            drawn.flatMap(({ metric, label, color }) =>
              [...(series.get(metric)?.earlier ?? [])].map(([attempt, points], index) => (
                <Line
                  key={`${metric}/${attempt}`}
                  data={points}
                  dataKey="value"
                  name={`${label}, attempt ${String(index + 1)}`}
                  stroke={color}
                  strokeOpacity={0.4}
                  strokeDasharray="4 3"
                  dot={false}
                  isAnimationActive={false}
                />
              )),
            )}
          {drawn.map(({ metric, label, color }) => (
            <Line
              key={metric}
              data={series.get(metric)?.current ?? []}
              dataKey="value"
              name={label}
              stroke={color}
              strokeWidth={1.6}
              dot={(series.get(metric)?.current.length ?? 0) < 3}
              isAnimationActive={false}
            />
          ))}
        </LineChart>
      </ResponsiveContainer>
    </Paper>
  );
}

function Latest({ label, color, point }: { label: string; color: string; point: Point | undefined }) {
  if (!point) return null;
  return (
    <Text fz="sm" className="number" title={`At step ${String(point.step)}`}>
      <span style={{ color }}>● </span>
      {label} {short(point.value)}
    </Text>
  );
}
