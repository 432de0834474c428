import { Table, Text } from '@mantine/core';
import type { FieldDifference } from '@stic/api/gen/stic/runs/v1/runs.js';

/** Recipe fields that differ from preset paper. */
export function Differences({ differences }: { differences: FieldDifference[] }) {
  if (differences.length === 0) {
    return (
      <Text fz="sm" c="dimmed">
        None: this is the paper's recipe.
      </Text>
    );
  }
  return (
    <Table aria-label="Differences from the paper" fz="xs" layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="46%">Field</Table.Th>
          <Table.Th>Paper</Table.Th>
          <Table.Th>This run</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {differences.map(({ field, paper, run }) => (
          <Table.Tr key={field}>
            <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
              {field}
            </Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{paper || 'none'}</Table.Td>
            <Table.Td fw={600} style={{ overflowWrap: 'anywhere' }}>
              {run || 'none'}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
