import { Alert, Button, Progress, Stack, Tabs, Text } from '@mantine/core';
import { Link, useParams, useSearchParams } from 'react-router';
import { datasets } from '../api/clients';
import { isMissing } from '../api/errors';
import { useRpcMutation, useWatched } from '../api/hooks';
import { bytes, count, moment } from '../format';
import { VersionState, type Dataset } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { newRequestId } from '../request-id';
import { Digest } from '../ui/digest';
import { Empty, Failure, Lines } from '../ui/feedback';
import { Facts, PageHeader } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { isImporting, versionLook } from '../states';
import { kindWord } from '../words';
import { Items } from './items';
import { Problems } from './problems';

const isImported = (dataset: Dataset): boolean => !isImporting(dataset);

export function DatasetPage() {
  const { datasetId = '' } = useParams();
  const query = useWatched(datasets.getDataset, datasets.watchDataset, { datasetId }, isImported);
  if (query.isPending) return <Lines />;
  if (!query.data) {
    if (isMissing(query.error)) {
      return (
        <Empty title="There is no such dataset" to="/datasets" action="Go to the datasets">
          {query.error.message}
        </Empty>
      );
    }
    return <Failure error={query.error} what="The dataset" onRetry={() => void query.refetch()} />;
  }
  return <DatasetView dataset={query.data} />;
}

function DatasetView({ dataset }: { dataset: Dataset }) {
  const [search, setSearch] = useSearchParams();
  const { latest } = dataset;
  const refresh = useRpcMutation(datasets.refreshDataset, { invalidates: [datasets.getDataset, datasets.listDatasets] });
  const importing = isImporting(dataset);
  const tab = search.get('show') ?? 'items';
  return (
    <Stack gap="md">
      <PageHeader
        title={dataset.name}
        detail={`${kindWord(dataset.kind)} · registered ${moment(dataset.createdAt)}`}
        actions={
          <>
            <StateBadge look={versionLook(latest?.state)} size="lg" />
            <Button
              variant="default"
              size="compact-md"
              disabled={importing}
              loading={refresh.isPending}
              onClick={() => {
                refresh.mutate({ datasetId: dataset.id, requestId: newRequestId() });
              }}
            >
              Import again
            </Button>
            {dataset.kind === DatasetKind.DATASET_KIND_IMAGES && latest?.state === VersionState.VERSION_STATE_READY && (
              <Button component={Link} to={`/runs/new?images=${dataset.id}`} size="compact-md">
                Train on these images
              </Button>
            )}
            {dataset.kind === DatasetKind.DATASET_KIND_PREFERENCES && latest?.state === VersionState.VERSION_STATE_READY && (
              <Button component={Link} to={`/runs/new?preferences=${dataset.id}`} size="compact-md">
                Train on these pairs
              </Button>
            )}
          </>
        }
      />
      {refresh.isError && (
        <Alert color="red" title="The import did not start" role="alert">
          {refresh.error.message}
        </Alert>
      )}
      <VersionFacts dataset={dataset} />
      {importing && <ImportProgress done={latest?.done ?? 0} total={latest?.total ?? 0} />}
      {latest?.state === VersionState.VERSION_STATE_FAILED && (
        <Alert color="red" title="The import failed" role="alert">
          <Text fz="sm">{latest.error}</Text>
          <Text fz="xs" c="dimmed" className="mono">
            {latest.errorCode}
          </Text>
        </Alert>
      )}
      <Tabs
        value={tab}
        onChange={(value) => {
          setSearch(value === 'problems' ? { show: 'problems' } : {});
        }}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="items">Items ({count(latest?.items ?? 0)})</Tabs.Tab>
          <Tabs.Tab value="problems">Problems ({count(latest?.skipped ?? 0)})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="items">
          <Items dataset={dataset} />
        </Tabs.Panel>
        <Tabs.Panel value="problems">
          <Problems dataset={dataset} importing={importing} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function VersionFacts({ dataset }: { dataset: Dataset }) {
  const { latest } = dataset;
  return (
    <div className="panel" style={{ padding: 12 }}>
      <Facts
        facts={[
          [
            'Source',
            <span key="source" className="mono">
              {dataset.source}
            </span>,
          ],
          ['Image folder', dataset.imageRoot],
          ['Image list', imageListWords(dataset)],
          ['Benchmark', latest?.benchmark ?? ''],
          ['Version', latest?.digest ? <Digest key="digest" value={latest.digest} /> : ''],
          ['Size', latest && latest.bytes > 0n ? bytes(latest.bytes) : ''],
          ['Duplicates', latest && latest.duplicates > 0 ? `${count(latest.duplicates)} items with the content of another` : ''],
          ['Imported', latest?.digest ? moment(latest.createdAt) : ''],
        ]}
      />
    </div>
  );
}

function imageListWords({ imageList, latest }: Dataset): string {
  return latest && latest.repeats > 0 ? `${imageList} (${count(latest.repeats)} repeated entries)` : imageList;
}

function ImportProgress({ done, total }: { done: number; total: number }) {
  return (
    <div>
      <Text fz="sm" mb={4} role="status">
        Importing: {count(done)} of {total > 0 ? count(total) : 'an unknown number of'} items checked
      </Text>
      <Progress value={total > 0 ? (done / total) * 100 : 0} animated aria-label="Import progress" />
    </div>
  );
}
