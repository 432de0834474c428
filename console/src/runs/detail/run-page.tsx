import { Alert, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { Link, Outlet, useLocation, useNavigate, useParams } from 'react-router';
import { runs } from '../../api/clients';
import { isMissing } from '../../api/errors';
import type { Connection } from '../../api/follow';
import { useWatched } from '../../api/hooks';
import { counted } from '../../format';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Empty, Failure, JobFailure } from '../../ui/feedback';
import { hasEnded } from '../../states';
import type { RunContext } from './context';
import { RunHeader } from './run-header';
import { StageRail } from './stage-rail';

const tabs = [
  { path: 'overview', label: 'Overview' },
  { path: 'metrics', label: 'Metrics' },
  { path: 'pairs', label: 'Pairs' },
  { path: 'logs', label: 'Logs' },
  { path: 'skipped', label: 'Skipped' },
  { path: 'recipe', label: 'Recipe' },
  { path: 'files', label: 'Files' },
];

export function RunPage() {
  const { runId = '' } = useParams();
  const query = useWatched(runs.getRun, runs.watchRun, { runId }, hasEnded);
  if (query.isPending) return <Loading />;
  if (!query.data) {
    if (isMissing(query.error)) {
      return (
        <Empty title="There is no such run" to="/runs" action="Go to the runs">
          {query.error.message}
        </Empty>
      );
    }
    return <Failure error={query.error} what="The run" onRetry={() => void query.refetch()} />;
  }
  return <RunView run={query.data} connection={query.connection} />;
}

function RunView({ run, connection }: { run: Run; connection: Connection }) {
  const { index } = useParams();
  const { pathname } = useLocation();
  const open = pathname.split('/')[3] ?? 'overview';
  // A single pair needs the height that the stages would take.
  const lookingAtPair = index !== undefined;
  return (
    <Stack gap="md">
      <RunHeader run={run} connection={connection} />
      {run.error && <JobFailure error={run.error} title="The run failed" />}
      {open === 'overview' && <Warnings run={run} />}
      {!lookingAtPair && <StageRail run={run} />}
      <RunTabs run={run} open={open} />
    </Stack>
  );
}

function RunTabs({ run, open }: { run: Run; open: string }) {
  const navigate = useNavigate();
  const context: RunContext = { run, live: !hasEnded(run) };
  return (
    <Tabs value={open} onChange={(value) => void navigate(`/runs/${run.id}/${value ?? 'overview'}`)} keepMounted={false}>
      <Tabs.List mb="md">
        {tabs.map(({ path, label }) => (
          <Tabs.Tab key={path} value={path}>
            {label}
            {path === 'skipped' && run.skipped > 0 ? ` (${String(run.skipped)})` : ''}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={open}>
        <Outlet context={context} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Warnings({ run }: { run: Run }) {
  if (run.warnings.length === 0 && run.skipped === 0) return null;
  return (
    <Alert color="orange" title={run.warnings.length > 0 ? 'Warnings' : undefined} py="xs">
      {run.warnings.map((warning) => (
        <Text key={warning} fz="sm">
          {warning}
        </Text>
      ))}
      {run.skipped > 0 && (
        <Text fz="sm">
          {counted(run.skipped, 'item')} left out. <Link to={`/runs/${run.id}/skipped`}>See which and why</Link>
        </Text>
      )}
    </Alert>
  );
}

function Loading() {
  return (
    <Stack aria-busy aria-label="Loading">
      <Skeleton height={52} width="60%" />
      <Skeleton height={120} />
      <Skeleton height={300} />
    </Stack>
  );
}
