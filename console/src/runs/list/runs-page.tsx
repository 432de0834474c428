import { Button, Group, Progress, SegmentedControl, Stack, Table, Text, Tooltip } from '@mantine/core';
import { Link, useSearchParams } from 'react-router';
import { runs } from '../../api/clients';
import { useRpc } from '../../api/hooks';
import { ago, count, duration, elapsed, moment, percent } from '../../format';
import { RunState, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Empty, Failure, Lines } from '../../ui/feedback';
import { PageHeader } from '../../ui/layout';
import { StateBadge } from '../../ui/state-badge';
import { hasEnded, runLook, runShare } from '../../states';
import { trainingData } from '../../words';
import { MiniRail } from './mini-rail';

const filters = [
  { value: RunState.RUN_STATE_UNSPECIFIED, label: 'All' },
  ...[
    RunState.RUN_STATE_QUEUED,
    RunState.RUN_STATE_RUNNING,
    RunState.RUN_STATE_PAUSED,
    RunState.RUN_STATE_SUCCEEDED,
    RunState.RUN_STATE_FAILED,
    RunState.RUN_STATE_CANCELLED,
  ].map((value) => ({ value, label: runLook(value).word })),
];

export function RunsPage() {
  const [search, setSearch] = useSearchParams();
  const state = filters.find(({ label }) => label.toLowerCase() === search.get('state'))?.value ?? RunState.RUN_STATE_UNSPECIFIED;
  const page = search.get('page') ?? '';
  const query = useRpc(
    runs.listRuns,
    { state, pageToken: page, pageSize: 25 },
    { refetchInterval: ({ state: { data } }) => (data?.runs.every(hasEnded) ? 10_000 : 3000), placeholderData: (previous) => previous },
  );
  const filtered = state !== RunState.RUN_STATE_UNSPECIFIED;
  const list = query.data?.runs ?? [];

  const choose = (value: string) => {
    const label = filters.find((filter) => (filter.value as string) === value)?.label.toLowerCase() ?? 'all';
    setSearch(label === 'all' ? {} : { state: label });
  };

  return (
    <Stack gap="sm">
      <PageHeader
        title="Runs"
        detail="A run is a frozen recipe on named images. Newest first."
        actions={<SegmentedControl size="xs" aria-label="Filter by state" value={state} onChange={choose} data={filters} />}
      />
      {query.isError && <Failure error={query.error} what="The runs" onRetry={() => void query.refetch()} />}
      {query.isPending && <Lines />}
      {query.isSuccess && list.length === 0 && <NoRuns filtered={filtered} />}
      {list.length > 0 && <RunTable runs={list} />}
      <Group justify="flex-end">
        {page && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              const newest = new URLSearchParams(search);
              newest.delete('page');
              setSearch(newest);
            }}
          >
            Newest
          </Button>
        )}
        {query.data?.nextPageToken && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              const next = new URLSearchParams(search);
              next.set('page', query.data.nextPageToken);
              setSearch(next);
            }}
          >
            Older
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty title="No run is in this state" to="/runs" action="Show all runs">
        There may be runs in other states.
      </Empty>
    );
  }
  return (
    <Empty title="No runs yet" to="/runs/new" action="Start a run">
      A run takes unlabeled images, lets the model make preference pairs from them, trains on the pairs and compares the model before and
      after. It will appear here with its stages, progress and time left.
    </Empty>
  );
}

function RunTable({ runs }: { runs: Run[] }) {
  return (
    <div className="panel" style={{ overflowX: 'auto' }}>
      <Table highlightOnHover aria-label="Runs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Stages</Table.Th>
            <Table.Th w={165}>Progress</Table.Th>
            <Table.Th>Model</Table.Th>
            <Table.Th>Images</Table.Th>
            <Table.Th>Created</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function RunRow({ run }: { run: Run }) {
  const data = trainingData(run);
  const model = run.modelPath;
  return (
    <Table.Tr>
      <Table.Td maw={230}>
        <Link to={`/runs/${run.id}`} className="plain">
          <Text fz="sm" fw={600} truncate>
            {run.name || run.id}
          </Text>
        </Link>
        <Text fz="xs" c="dimmed">
          preset {run.preset}
        </Text>
      </Table.Td>
      <Table.Td>
        <StateBadge look={runLook(run.state)} note={run.queuePosition > 0 ? `position ${String(run.queuePosition)}` : undefined} />
        {run.waiting && (
          <Text fz="xs" c="dimmed" maw={180}>
            {run.waiting}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <MiniRail stages={run.stages} />
      </Table.Td>
      <Table.Td>
        <RunProgress run={run} />
      </Table.Td>
      <Table.Td maw={130}>
        <Tooltip label={model}>
          <Text fz="sm" truncate>
            {model.split('/').at(-1)}
          </Text>
        </Tooltip>
      </Table.Td>
      <Table.Td>
        {data && (
          <>
            <Text fz="sm" truncate maw={130}>
              {data.datasetName}
            </Text>
            <Text fz="xs" c="dimmed" className="number">
              {count(data.items)}
            </Text>
          </>
        )}
      </Table.Td>
      <Table.Td className="number">
        <Tooltip label={moment(run.createdAt)}>
          <span>{ago(run.createdAt)}</span>
        </Tooltip>
      </Table.Td>
    </Table.Tr>
  );
}

function RunProgress({ run }: { run: Run }) {
  const share = runShare(run);
  const left = !hasEnded(run) && run.etaSeconds >= 0 && run.startedAt ? `${duration(run.etaSeconds)} left` : '';
  const took = hasEnded(run) && run.startedAt ? `took ${elapsed(run.startedAt, run.endedAt)}` : '';
  return (
    <>
      <Progress value={share * 100} color={runLook(run.state).color} size="sm" aria-label={`Progress of ${run.name}`} />
      <Text fz="xs" c="dimmed" className="number">
        {[percent(share), left || took].filter(Boolean).join(' \u00b7 ')}
      </Text>
    </>
  );
}
