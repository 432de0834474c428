import { Table, Text } from '@mantine/core';
import { counted, signed } from '../../format';
import type { EvaluationScore } from '@stic/api/gen/stic/common/v1/common.js';
import { modeWord, plainWords, subjectWord } from '../../words';
import { armKey, arms, isReference, scoreRows, verdict, type ScoreRow } from './scores';

export function ComparisonTable({ scores }: { scores: EvaluationScore[] }) {
  const columns = arms(scores);
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table aria-label="Comparison of base, stage 1 and stage 2">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Benchmark</Table.Th>
            <Table.Th>Metric</Table.Th>
            {columns.map((arm) => (
              <Table.Th key={armKey(arm)} ta="right">
                {subjectWord(arm.subject)} {modeWord(arm.mode)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {scoreRows(scores).map((row) => (
            <Table.Tr key={`${row.benchmark}/${row.metric}`}>
              <RowHead row={row} />
              {columns.map((arm) => {
                const score = row.cells.get(armKey(arm));
                return (
                  <Table.Td key={armKey(arm)} ta="right" className="number" style={{ verticalAlign: 'top' }}>
                    {score ? <ScoreCell score={score} reference={isReference(arm)} /> : ''}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text fz="xs" c="dimmed" mt={6}>
        ▲ better, ▼ worse: the whole interval is on one side of zero. Unmarked: no difference that these items can show. Most frequent
        answer: what one gets without looking.
      </Text>
    </div>
  );
}

function RowHead({ row }: { row: ScoreRow }) {
  const higher = [...row.cells.values()][0]?.higherIsBetter ?? true;
  return (
    <>
      <Table.Td style={{ verticalAlign: 'top' }}>
        <Text fz="sm" fw={row.primary ? 600 : 400}>
          {row.benchmark}
        </Text>
        {row.primary && (
          <Text fz="xs" c="dimmed">
            {counted(row.n, 'item')}
            {row.majority >= 0 && `, most frequent answer ${row.majority.toFixed(1)}`}
          </Text>
        )}
      </Table.Td>
      <Table.Td style={{ verticalAlign: 'top' }}>
        <Text fz="sm" fw={row.primary ? 600 : 400}>
          {plainWords(row.metric)}
        </Text>
        {!higher && (
          <Text fz="xs" c="dimmed">
            lower is better
          </Text>
        )}
      </Table.Td>
    </>
  );
}

const marks = { better: '▲ ', worse: '▼ ', unclear: '' };
const colors = { better: 'var(--good)', worse: 'var(--bad)', unclear: 'dimmed' };

function ScoreCell({ score, reference }: { score: EvaluationScore; reference: boolean }) {
  const judged = verdict(score);
  return (
    <>
      <Text fz="sm" fw={score.primary ? 600 : 400}>
        {score.value.toFixed(1)}
      </Text>
      <Text fz="xs" c={reference ? 'dimmed' : colors[judged]}>
        {reference ? 'reference' : `${marks[judged]}${signed(score.difference)}`}
      </Text>
      {!reference && (
        <Text fz="xs" c="dimmed">
          [{signed(score.low)}, {signed(score.high)}]
        </Text>
      )}
    </>
  );
}
