import { useElementSize } from '@mantine/hooks';
import { signed } from '../../format';

const labelWidth = 250;
const valueWidth = 168;
const rowHeight = 20;
const groupGap = 26;
const top = 22;
const marks = { better: '▲', worse: '▼', unclear: '' };
const colors = { better: 'var(--good)', worse: 'var(--bad)', unclear: 'var(--mantine-color-dimmed)' };

/** A gain with its interval; positive is better. */
export interface Interval {
  label: string;
  gain: number;
  low: number;
  high: number;
}

export interface IntervalGroup {
  title: string;
  intervals: Interval[];
}

interface IntervalPlotProps {
  /** What the picture shows, for who cannot see it. */
  label: string;
  groups: IntervalGroup[];
  /** A dashed line further to the worse side than which nothing should lie. */
  limit?: { at: number; label: string };
}

/** Gains as dots with their intervals, in named groups, beside a line at zero. */
export function IntervalPlot({ label, groups, limit }: IntervalPlotProps) {
  const { ref, width } = useElementSize();
  const [low, high] = range(groups, limit?.at ?? 0);
  const plotWidth = Math.max(200, width - labelWidth - valueWidth);
  const x = (value: number): number => labelWidth + ((value - low) / (high - low)) * plotWidth;
  const heights = groups.map((group) => group.intervals.length * rowHeight + groupGap);
  const bottom = top + heights.reduce((sum, height) => sum + height, 0);
  const height = bottom + 18;

  return (
    <div ref={ref} style={{ minHeight: height }}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={label} fontSize={12}>
          {ticks(low, high).map((tick) => (
            <g key={tick}>
              <line x1={x(tick)} x2={x(tick)} y1={top} y2={bottom} stroke={tick === 0 ? 'var(--mantine-color-text)' : 'var(--line)'} />
              <text x={x(tick)} y={bottom + 14} textAnchor="middle" fill="var(--mantine-color-dimmed)">
                {signed(tick, 0)}
              </text>
            </g>
          ))}
          <text x={x(0) - 8} y={12} textAnchor="end" fill="var(--mantine-color-dimmed)">
            ← worse
          </text>
          <text x={x(0) + 8} y={12} fill="var(--mantine-color-dimmed)">
            better →
          </text>
          {limit && <Limit x={x(limit.at)} bottom={bottom} label={limit.label} />}
          {groups.map((group, index) => (
            <Group
              key={group.title}
              group={group}
              y={top + heights.slice(0, index).reduce((sum, one) => sum + one, 0)}
              x={x}
              right={labelWidth + plotWidth}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function Limit({ x, bottom, label }: { x: number; bottom: number; label: string }) {
  return (
    <g>
      <line x1={x} x2={x} y1={top} y2={bottom} stroke="var(--bad)" strokeDasharray="5 4" strokeWidth={1.5} />
      <text x={x - 6} y={top + 12} textAnchor="end" fill="var(--bad)">
        {label}
      </text>
    </g>
  );
}

interface GroupProps {
  group: IntervalGroup;
  y: number;
  x: (value: number) => number;
  right: number;
}

function Group({ group, y, x, right }: GroupProps) {
  return (
    <g>
      <text x={0} y={y + 16} fill="var(--mantine-color-text)" fontWeight={600}>
        {group.title}
      </text>
      {group.intervals.map((interval, index) => (
        <Whisker key={interval.label} interval={interval} y={y + groupGap + index * rowHeight + 8} x={x} right={right} />
      ))}
    </g>
  );
}

function Whisker({ interval, y, x, right }: { interval: Interval; y: number; x: (value: number) => number; right: number }) {
  const { label, gain, low, high } = interval;
  const judged = low > 0 ? 'better' : high < 0 ? 'worse' : 'unclear';
  const color = colors[judged];
  return (
    <g>
      <text x={14} y={y + 4} fill="var(--mantine-color-text)">
        {label}
      </text>
      <line x1={x(low)} x2={x(high)} y1={y} y2={y} stroke={color} strokeWidth={2} />
      {[low, high].map((end, index) => (
        <line key={index} x1={x(end)} x2={x(end)} y1={y - 4} y2={y + 4} stroke={color} strokeWidth={2} />
      ))}
      <circle cx={x(gain)} cy={y} r={4} fill={judged === 'unclear' ? 'var(--panel)' : color} stroke={color} strokeWidth={2} />
      <text x={right + 12} y={y + 4} fill={color} style={{ fontVariantNumeric: 'tabular-nums' }}>
        {marks[judged]} {signed(gain)} [{signed(low)}, {signed(high)}]
      </text>
    </g>
  );
}

/** Smallest range of whole fives that holds every interval, the limit and zero. */
function range(groups: IntervalGroup[], limit: number): [number, number] {
  const ends = groups.flatMap((group) => group.intervals).flatMap(({ low, high }) => [low, high]);
  return [Math.floor((Math.min(0, limit, ...ends) - 1) / 5) * 5, Math.ceil((Math.max(0, limit, ...ends) + 1) / 5) * 5];
}

function ticks(low: number, high: number): number[] {
  const step = high - low > 50 ? 20 : high - low > 25 ? 10 : 5;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, index) => first + index * step);
}
