import { Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { ago, moment } from '../format';
import type { Move } from '@stic/api/gen/stic/registry/v1/registry.js';
import { checkpointWords, moveWord } from '../words';

/** Every move of an alias, newest first. */
export function History({ moves }: { moves: Move[] }) {
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table aria-label="History" fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th ta="right">Move</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>To</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th>When</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {moves.map((move) => (
            <Table.Tr key={move.number} style={{ verticalAlign: 'top' }}>
              <Table.Td ta="right" className="number">
                {move.number}
              </Table.Td>
              <Table.Td className="number">
                {moveWord(move.kind)}
                {move.undoes > 0 ? ` (move ${String(move.undoes)})` : ''}
              </Table.Td>
              <Table.Td className="number">
                {move.provenance ? (
                  <Link to={`/checkpoints/${move.toCheckpointId}`}>
                    {checkpointWords({ name: move.provenance.checkpointName, runName: move.provenance.runName })}
                  </Link>
                ) : (
                  'base model'
                )}
              </Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{move.actor}</Table.Td>
              <Table.Td maw={420}>
                <Text fz="sm" lineClamp={3} title={move.reason}>
                  {move.reason}
                </Text>
              </Table.Td>
              <Table.Td className="number" title={moment(move.at)}>
                {ago(move.at)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
