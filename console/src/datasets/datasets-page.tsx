import { Button, Stack, Table, Text, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import { useDatasets } from './datasets';
import { ago, bytes, count, moment } from '../format';
import type { Dataset } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import { PageHeader } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { versionLook } from '../states';
import { kindWord } from '../words';

export function DatasetsPage() {
  const pages = useDatasets();
  const datasets = pages.data?.pages.flatMap((page) => page.datasets) ?? [];
  return (
    <Stack gap="sm">
      <PageHeader
        title="Datasets"
        detail="Images, instructions and benchmarks. What is imported never changes; importing again makes a new version."
        actions={
          <Button component={Link} to="/datasets/new" variant="default" size="compact-md">
            Register a dataset
          </Button>
        }
      />
      {pages.isError && <Failure error={pages.error} what="The datasets" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines />}
      {pages.isSuccess && datasets.length === 0 && (
        <Empty title="No datasets yet" to="/datasets/new" action="Register a dataset">
          Register a folder of images on the server's host. Every image is checked and copied into the store; those that cannot be used are
          listed with the reason, and the rest can be trained on.
        </Empty>
      )}
      {datasets.length > 0 && <DatasetTable datasets={datasets} />}
      <LoadMore pages={pages} />
    </Stack>
  );
}

function DatasetTable({ datasets }: { datasets: Dataset[] }) {
  return (
    <div className="panel" style={{ overflowX: 'auto' }}>
      <Table highlightOnHover aria-label="Datasets">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Dataset</Table.Th>
            <Table.Th>Kind</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th ta="right">Items</Table.Th>
            <Table.Th ta="right">Skipped</Table.Th>
            <Table.Th ta="right">Size</Table.Th>
            <Table.Th>Source</Table.Th>
            <Table.Th>Created</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {datasets.map((dataset) => (
            <DatasetRow key={dataset.id} dataset={dataset} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function DatasetRow({ dataset }: { dataset: Dataset }) {
  const { latest } = dataset;
  return (
    <Table.Tr>
      <Table.Td>
        <Link to={`/datasets/${dataset.id}`} className="plain">
          <Text fz="sm" fw={600}>
            {dataset.name}
          </Text>
        </Link>
      </Table.Td>
      <Table.Td>{kindWord(dataset.kind)}</Table.Td>
      <Table.Td>
        <StateBadge look={versionLook(latest?.state)} />
      </Table.Td>
      <Table.Td ta="right" className="number">
        {count(latest?.items ?? 0)}
      </Table.Td>
      <Table.Td ta="right" className="number">
        {count(latest?.skipped ?? 0)}
      </Table.Td>
      <Table.Td ta="right" className="number">
        {bytes(latest?.bytes ?? 0n)}
      </Table.Td>
      <Table.Td maw={320}>
        <Tooltip label={dataset.source}>
          <Text fz="xs" className="mono" truncate>
            {dataset.source}
          </Text>
        </Tooltip>
      </Table.Td>
      <Table.Td className="number" title={moment(dataset.createdAt)}>
        {ago(dataset.createdAt)}
      </Table.Td>
    </Table.Tr>
  );
}
