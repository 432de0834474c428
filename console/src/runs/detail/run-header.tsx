import { Text, Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { Connection } from '../../api/follow';
import { ago, duration, elapsed, moment } from '../../format';
import { RunState, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { PageHeader } from '../../ui/layout';
import { StateBadge } from '../../ui/state-badge';
import { runLook } from '../../states';
import { requirementWords, startWord, trainingData } from '../../words';
import { RunActions } from './run-actions';

export function RunHeader({ run, connection }: { run: Run; connection: Connection }) {
  return (
    <div>
      <PageHeader
        title={run.name || run.id}
        detail={
          <>
            <RunFacts run={run} />
            <Outcome run={run} />
            <Waiting run={run} />
            <Scheduled run={run} />
            <ForkedFrom run={run} />
          </>
        }
        actions={
          <>
            {connection === 'reconnecting' && (
              <Text fz="sm" c="orange" role="status">
                Reconnecting…
              </Text>
            )}
            <StateBadge
              look={runLook(run.state)}
              size="lg"
              note={run.queuePosition > 0 ? `position ${String(run.queuePosition)} in the queue` : undefined}
            />
            <RunActions run={run} />
          </>
        }
      />
    </div>
  );
}

function RunFacts({ run }: { run: Run }) {
  const attempts = run.stages.flatMap((stage) => stage.attempts);
  const onDevice = attempts.findLast((attempt) => attempt.device);
  const data = trainingData(run);
  const running = run.state === RunState.RUN_STATE_RUNNING;
  const start = run.recipe?.startFrom?.checkpointId ? startWord(run.recipe) : '';
  const facts = [
    timing(run),
    running && run.etaSeconds >= 0 ? `about ${duration(run.etaSeconds)} left` : '',
    `preset ${run.recipe?.preset ?? ''}`,
    run.recipe?.model?.path ?? '',
    start ? `from ${start}` : '',
    data ? `${data.datasetName} (${String(data.items)} ${data.role === 'images' ? 'images' : 'pairs'})` : '',
    `seed ${String(run.recipe?.seed ?? '')}`,
    onDevice ? `${onDevice.device}, ${onDevice.dtype}` : '',
    run.priority !== 0 ? `priority ${String(run.priority)}` : '',
    ...requirementWords(run.requires).map((what) => `needs ${what}`),
  ].filter(Boolean);
  return (
    <Tooltip label={`Created ${moment(run.createdAt)}`}>
      <span>{facts.join(' \u00b7 ')}</span>
    </Tooltip>
  );
}

/** Is there a better model, and why. An error has its own place, with what to do. */
function Outcome({ run }: { run: Run }) {
  if (!run.outcome || run.error) return null;
  return (
    <Text fz="sm" fw={600} c="var(--mantine-color-text)">
      {run.outcome}
    </Text>
  );
}

function Waiting({ run }: { run: Run }) {
  if (!run.waiting) return null;
  return (
    <Text fz="sm" c="orange" role="status">
      Waiting: {run.waiting}
    </Text>
  );
}

function Scheduled({ run: { schedule } }: { run: Run }) {
  if (!schedule) return null;
  return (
    <Text fz="sm">
      Started by the schedule <Link to={`/schedules/${schedule.scheduleId}`}>{schedule.scheduleName}</Link>
    </Text>
  );
}

function ForkedFrom({ run: { fork } }: { run: Run }) {
  if (!fork) return null;
  const changes = fork.changes.map(({ field, from, to }) => `${field} ${from || 'none'} \u2192 ${to || 'none'}`);
  return (
    <Text fz="sm">
      Forked from <Link to={`/runs/${fork.runId}`}>{fork.runName || fork.runId}</Link>
      {changes.length > 0 ? `: ${changes.join(', ')}` : ', nothing changed'}
    </Text>
  );
}

function timing(run: Run): string {
  if (!run.startedAt || run.state === RunState.RUN_STATE_QUEUED) return `created ${ago(run.createdAt)}`;
  if (run.state === RunState.RUN_STATE_PAUSED) return `paused, started ${ago(run.startedAt)}`;
  const took = elapsed(run.startedAt, run.endedAt);
  return run.endedAt ? `took ${took}, ended ${ago(run.endedAt)}` : `running for ${took}`;
}
