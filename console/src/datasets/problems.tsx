import { Table } from '@mantine/core';
import { datasets } from '../api/clients';
import { usePages } from '../api/hooks';
import type { Dataset } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';

/** Items refused at import, each with the reason. */
export function Problems({ dataset, importing }: { dataset: Dataset; importing: boolean }) {
  const request = { datasetId: dataset.id, versionId: dataset.latest?.id ?? '', pageSize: 100 };
  const pages = usePages(datasets.listDatasetProblems, request, { version: importing, pollMs: importing && 2000 });
  if (pages.isError) return <Failure error={pages.error} what="The problems" onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Lines />;
  const problems = pages.data.pages.flatMap((page) => page.problems);
  if (problems.length === 0) {
    return (
      <Empty title={importing ? 'No problem so far' : 'No problems'}>
        An item that cannot be used is listed here with the file and the reason.
      </Empty>
    );
  }
  return (
    <div className="panel">
      <Table aria-label="Problems">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>File</Table.Th>
            <Table.Th>Code</Table.Th>
            <Table.Th>Reason</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {problems.map((problem, index) => (
            <Table.Tr key={index}>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{problem.name}</Table.Td>
              <Table.Td className="mono">{problem.code}</Table.Td>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{problem.reason}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <LoadMore pages={pages} />
    </div>
  );
}
