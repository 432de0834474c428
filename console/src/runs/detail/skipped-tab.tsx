import { Stack, Table, Text } from '@mantine/core';
import { runs } from '../../api/clients';
import { usePages } from '../../api/hooks';
import { counted } from '../../format';
import { Empty, Failure, Lines, LoadMore } from '../../ui/feedback';
import { useRunContext } from './context';

/** Everything the run left out, with the reason. */
export function SkippedTab() {
  const { run, live } = useRunContext();
  const pages = usePages(runs.listSkipped, { runId: run.id, pageSize: 100 }, { version: live, pollMs: live && 5000 });
  if (pages.isError && !pages.data) return <Failure error={pages.error} what="The skipped items" onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Lines />;
  const skipped = pages.data.pages.flatMap((page) => page.skipped);
  if (skipped.length === 0) {
    return (
      <Empty title="Nothing was left out">
        An image that cannot be used does not stop a run: it is left out, counted and listed here with the reason. Too many stop it; the
        limit is a field of the recipe.
      </Empty>
    );
  }
  return (
    <Stack gap="xs">
      <Text fz="sm" c="dimmed">
        {counted(run.skipped, 'item')} left out, those refused at import included.
      </Text>
      <div className="panel">
        <Table aria-label="Skipped items">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Where</Table.Th>
              <Table.Th>Item</Table.Th>
              <Table.Th>Code</Table.Th>
              <Table.Th>Reason</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {skipped.map(({ where, item }, index) => (
              <Table.Tr key={index}>
                <Table.Td>{where}</Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{item?.name}</Table.Td>
                <Table.Td className="mono">{item?.code}</Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{item?.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <LoadMore pages={pages} />
    </Stack>
  );
}
