import { Button, Stack, Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { checkpoints } from '../api/clients';
import { usePages } from '../api/hooks';
import { ago, bytes, moment } from '../format';
import { Digest } from '../ui/digest';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import { PageHeader } from '../ui/layout';
import { checkpointWords, subjectWord } from '../words';

export function CheckpointsPage() {
  const pages = usePages(checkpoints.listCheckpoints, { pageSize: 50 });
  const list = pages.data?.pages.flatMap((page) => page.checkpoints) ?? [];
  return (
    <Stack gap="sm">
      <PageHeader
        title="Checkpoints"
        detail="Adapters the runs have made, each with the base model it belongs to. Newest first."
        actions={
          <Button component={Link} to="/checkpoints/retention" variant="default" size="compact-md">
            Make room
          </Button>
        }
      />
      {pages.isError && <Failure error={pages.error} what="The checkpoints" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines />}
      {pages.isSuccess && list.length === 0 && (
        <Empty title="No checkpoints yet" to="/runs/new" action="Start a run">
          The stage dpo makes the stage-1 adapter of a run, the stage sft the stage-2 adapter. They appear here when the stage has finished.
        </Empty>
      )}
      {list.length > 0 && (
        <div className="panel" style={{ overflowX: 'auto' }}>
          <Table highlightOnHover aria-label="Checkpoints">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Checkpoint</Table.Th>
                <Table.Th>Run</Table.Th>
                <Table.Th>Adapter</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th>Base model</Table.Th>
                <Table.Th>Created</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {list.map((checkpoint) => (
                <Table.Tr key={checkpoint.id}>
                  <Table.Td>
                    <Link to={`/checkpoints/${checkpoint.id}`} className="plain" aria-label={checkpointWords(checkpoint)}>
                      <Text fz="sm" fw={600}>
                        {subjectWord(checkpoint.name)}
                      </Text>
                    </Link>
                    {(checkpoint.deletedAt ?? checkpoint.pinnedAt) && (
                      <Text fz="xs" c="dimmed">
                        {checkpoint.deletedAt ? 'files deleted' : 'pinned'}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    {checkpoint.runId ? (
                      <Link to={`/runs/${checkpoint.runId}`} className="plain">
                        {checkpoint.runName}
                      </Link>
                    ) : (
                      'imported'
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Digest value={checkpoint.adapterSha256} />
                  </Table.Td>
                  <Table.Td ta="right" className="number">
                    {bytes(checkpoint.bytes)}
                  </Table.Td>
                  <Table.Td maw={260} title={checkpoint.baseModelPath}>
                    <Text fz="sm" truncate>
                      {checkpoint.baseModelPath}
                    </Text>
                  </Table.Td>
                  <Table.Td className="number" title={moment(checkpoint.createdAt)}>
                    {ago(checkpoint.createdAt)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <LoadMore pages={pages} />
    </Stack>
  );
}
