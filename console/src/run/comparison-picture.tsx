import { useElementSize } from '@mantine/hooks';
import { signed } from '../format';
import type { EvaluationScore } from '../gen/stic/trainer/v1/trainer';
import { modeWord, plainWords, subjectWord } from '../words';
import { armKey, arms, isReference, scoreRows, verdict, type Arm, type ScoreRow } from './scores';

const labelWidth = 250;
const valueWidth = 168;
const rowHeight = 20;
const groupGap = 26;
const top = 22;
const marks = { better: '▲', worse: '▼', unclear: '' };
const colors = { better: 'var(--good)', worse: 'var(--bad)', unclear: 'var(--mantine-color-dimmed)' };

/** Each arm's difference to base plain on each benchmark's headline metric: a dot with its 95 % interval, beside a line at zero. */
export function ComparisonPicture({ scores }: { scores: EvaluationScore[] }) {
  const { ref, width } = useElementSize();
  const rows = scoreRows(scores).filter((row) => row.primary);
  const compared = arms(scores).filter((arm) => !isReference(arm));
  const [low, high] = range(rows, compared);
  const plotWidth = Math.max(200, width - labelWidth - valueWidth);
  const x = (value: number): number => labelWidth + ((value - low) / (high - low)) * plotWidth;
  const groupHeight = compared.length * rowHeight + groupGap;
  const height = top + rows.length * groupHeight + 18;
  const bottom = height - 18;

  return (
    <div ref={ref} style={{ minHeight: height }}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label="Differences to the base model with their intervals" fontSize={12}>
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
          {rows.map((row, group) => (
            <RowGroup
              key={row.benchmark}
              row={row}
              compared={compared}
              y={top + group * groupHeight}
              x={x}
              right={labelWidth + plotWidth}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

interface GroupProps {
  row: ScoreRow;
  compared: Arm[];
  y: number;
  x: (value: number) => number;
  right: number;
}

function RowGroup({ row, compared, y, x, right }: GroupProps) {
  return (
    <g>
      <text x={0} y={y + 16} fill="var(--mantine-color-text)" fontWeight={600}>
        {row.benchmark} ({plainWords(row.metric)})
      </text>
      {compared.map((arm, index) => {
        const score = row.cells.get(armKey(arm));
        return score && <Whisker key={armKey(arm)} arm={arm} score={score} y={y + groupGap + index * rowHeight + 8} x={x} right={right} />;
      })}
    </g>
  );
}

function Whisker({
  arm,
  score,
  y,
  x,
  right,
}: {
  arm: Arm;
  score: EvaluationScore;
  y: number;
  x: (value: number) => number;
  right: number;
}) {
  const judged = verdict(score);
  const color = colors[judged];
  const sign = score.higherIsBetter ? 1 : -1;
  const ends = [score.low * sign, score.high * sign].map(x) as [number, number];
  return (
    <g>
      <text x={14} y={y + 4} fill="var(--mantine-color-text)">
        {subjectWord(arm.subject)}, {modeWord(arm.mode)}
      </text>
      <line x1={ends[0]} x2={ends[1]} y1={y} y2={y} stroke={color} strokeWidth={2} />
      {ends.map((end) => (
        <line key={end} x1={end} x2={end} y1={y - 4} y2={y + 4} stroke={color} strokeWidth={2} />
      ))}
      <circle
        cx={x(score.difference * sign)}
        cy={y}
        r={4}
        fill={judged === 'unclear' ? 'var(--panel)' : color}
        stroke={color}
        strokeWidth={2}
      />
      <text x={right + 12} y={y + 4} fill={color} style={{ fontVariantNumeric: 'tabular-nums' }}>
        {marks[judged]} {signed(score.difference)} [{signed(score.low)}, {signed(score.high)}]
      </text>
    </g>
  );
}

/** Smallest range of whole fives that holds every interval and zero. */
function range(rows: ScoreRow[], compared: Arm[]): [number, number] {
  const shown = rows.flatMap((row) => compared.map((arm) => row.cells.get(armKey(arm))).filter((score) => score !== undefined));
  const ends = shown.flatMap((score) => (score.higherIsBetter ? [score.low, score.high] : [-score.high, -score.low]));
  return [Math.floor((Math.min(0, ...ends) - 1) / 5) * 5, Math.ceil((Math.max(0, ...ends) + 1) / 5) * 5];
}

function ticks(low: number, high: number): number[] {
  const step = high - low > 50 ? 20 : high - low > 25 ? 10 : 5;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, index) => first + index * step);
}
