import { Button, Menu, Text } from '@mantine/core';
import { Link } from 'react-router';
import { runs } from '../../api/clients';
import { useRpcMutation } from '../../api/hooks';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { RunState, StageState, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { hasEnded } from '../../states';
import { Confirm } from '../../ui/confirm';
import { stageWord } from '../../words';

const changed = { invalidates: [runs.getRun, runs.listRuns] };

/** What can be done with the run as it is now. Only cancelling asks back: everything else can be undone or costs nothing. */
export function RunActions({ run }: { run: Run }) {
  const runId = run.id;
  const pause = useRpcMutation(runs.pauseRun, changed);
  const resume = useRpcMutation(runs.resumeRun, changed);
  const retry = useRpcMutation(runs.retryRun, changed);
  const error = pause.error ?? resume.error ?? retry.error;
  const going = run.state === RunState.RUN_STATE_QUEUED || run.state === RunState.RUN_STATE_RUNNING;
  const retryable = run.state === RunState.RUN_STATE_FAILED || run.state === RunState.RUN_STATE_CANCELLED;
  return (
    <>
      {error && (
        <Text fz="sm" c="red" role="alert" maw={360}>
          {error.message}
        </Text>
      )}
      {going && (
        <Plain
          loading={pause.isPending}
          onClick={() => {
            pause.mutate({ runId });
          }}
        >
          Pause
        </Plain>
      )}
      {run.state === RunState.RUN_STATE_PAUSED && (
        <Button
          size="compact-md"
          loading={resume.isPending}
          onClick={() => {
            resume.mutate({ runId });
          }}
        >
          Resume
        </Button>
      )}
      {retryable && (
        <Retry
          run={run}
          pending={retry.isPending}
          onRetry={(fromStage) => {
            retry.mutate({ runId, fromStage });
          }}
        />
      )}
      <Button variant="default" size="compact-md" component={Link} to={`/runs/new?fork=${run.id}`}>
        Fork
      </Button>
      {!hasEnded(run) && <CancelRun run={run} />}
    </>
  );
}

function Plain({ loading, onClick, children }: { loading: boolean; onClick: () => void; children: string }) {
  return (
    <Button variant="default" size="compact-md" loading={loading} onClick={onClick}>
      {children}
    </Button>
  );
}

/** The stages a retry may go on from, the usual one first: no checkpoint is made a second time. */
function retryKinds(run: Run): StageKind[] {
  const next = run.stages.findIndex((stage) => stage.state !== StageState.STAGE_STATE_SUCCEEDED);
  const made = run.stages
    .slice(0, next)
    .findLastIndex(({ kind }) => kind === StageKind.STAGE_KIND_DPO || kind === StageKind.STAGE_KIND_SFT);
  return run.stages
    .slice(made + 1, next + 1)
    .map((stage) => stage.kind)
    .reverse();
}

function Retry({ run, pending, onRetry }: { run: Run; pending: boolean; onRetry: (kind: StageKind) => void }) {
  const [usual, ...earlier] = retryKinds(run);
  if (!usual) return null;
  const label = `Retry from ${stageWord(usual)}`;
  return (
    <Button.Group>
      <Button
        size="compact-md"
        loading={pending}
        onClick={() => {
          onRetry(usual);
        }}
      >
        {label}
      </Button>
      {earlier.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-md" px={8} aria-label="Retry from an earlier stage">
              ▾
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {earlier.map((kind) => (
              <Menu.Item
                key={kind}
                onClick={() => {
                  onRetry(kind);
                }}
              >
                Retry from {stageWord(kind)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </Button.Group>
  );
}

function CancelRun({ run }: { run: Run }) {
  const cancel = useRpcMutation(runs.cancelRun, changed);
  if (run.state === RunState.RUN_STATE_CANCELLING) return null;
  return (
    <Confirm
      opener={(open) => (
        <Button variant="default" size="compact-md" onClick={open}>
          Cancel run
        </Button>
      )}
      title="Cancel this run?"
      leave="Keep it running"
      action="Cancel the run"
      busy={cancel.isPending}
      error={cancel.error}
      onConfirm={(close) => {
        cancel.mutate({ runId: run.id }, { onSuccess: close });
      }}
    >
      The running stage stops at its next safe point and later stages do not start. What is already made, pairs and checkpoints included,
      stays. To free the trainer for a while, pause the run instead.
    </Confirm>
  );
}
