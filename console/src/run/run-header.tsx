import { Button, Group, Modal, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useCancelRun } from '../api/runs';
import type { Connection } from '../api/watch';
import { ago, duration, elapsed, moment } from '../format';
import { RunState, type Run } from '../gen/stic/runs/v1/runs';
import { PageHeader } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { runLook } from '../words';

export function RunHeader({ run, connection }: { run: Run; connection: Connection }) {
  return (
    <div>
      <PageHeader
        title={run.name || run.id}
        detail={<RunFacts run={run} />}
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
            <CancelRun run={run} />
          </>
        }
      />
    </div>
  );
}

function RunFacts({ run }: { run: Run }) {
  const attempts = run.stages.flatMap((stage) => stage.attempts);
  const onDevice = attempts.findLast((attempt) => attempt.device);
  const images = run.inputs.find((input) => input.role === 'images');
  const running = run.state === RunState.RUN_STATE_RUNNING;
  const facts = [
    timing(run),
    running && run.etaSeconds >= 0 ? `about ${duration(run.etaSeconds)} left` : '',
    `preset ${run.recipe?.preset ?? ''}`,
    run.recipe?.model?.path ?? '',
    images ? `${images.datasetName} (${String(images.items)} images)` : '',
    `seed ${String(run.recipe?.seed ?? '')}`,
    onDevice ? `${onDevice.device}, ${onDevice.dtype}` : '',
  ].filter(Boolean);
  return (
    <Tooltip label={`Created ${moment(run.createdAt)}`}>
      <span>{facts.join(' \u00b7 ')}</span>
    </Tooltip>
  );
}

function timing(run: Run): string {
  if (!run.startedAt) return `created ${ago(run.createdAt)}`;
  const took = elapsed(run.startedAt, run.endedAt);
  return run.endedAt ? `took ${took}, ended ${ago(run.endedAt)}` : `running for ${took}`;
}

function CancelRun({ run }: { run: Run }) {
  const [asking, { open, close }] = useDisclosure(false);
  const cancel = useCancelRun(run.id);
  const can = run.state === RunState.RUN_STATE_QUEUED || run.state === RunState.RUN_STATE_RUNNING;
  return (
    <>
      {can && (
        <Button variant="default" size="compact-md" onClick={open}>
          Cancel run
        </Button>
      )}
      <Modal opened={asking && can} onClose={close} title="Cancel this run?" centered>
        <Text fz="sm">
          The running stage stops at its next safe point and later stages do not start. What is already made, pairs and checkpoints
          included, stays. A cancelled run cannot be taken up again.
        </Text>
        {cancel.isError && (
          <Text c="red" fz="sm" mt="xs" role="alert">
            {cancel.error.message}
          </Text>
        )}
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it running
          </Button>
          <Button
            color="red"
            loading={cancel.isPending}
            onClick={() => {
              cancel.mutate(undefined, { onSuccess: close });
            }}
          >
            Cancel the run
          </Button>
        </Group>
      </Modal>
    </>
  );
}
