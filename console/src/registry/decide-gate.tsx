import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { registry } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import { type Gate, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { aliasMove } from './alias-move';
import { Ask } from './ask';

/** Yes or no to a candidate that waits for approval. */
export function DecideGate({ gate }: { gate: Gate }) {
  const [asking, setAsking] = useState<'approve' | 'reject'>();
  const approve = useRpcMutation(registry.approveGate, { invalidates: aliasMove });
  const reject = useRpcMutation(registry.rejectGate, { invalidates: aliasMove });
  if (gate.state !== GateState.GATE_STATE_PENDING) return null;
  const close = () => {
    setAsking(undefined);
    approve.reset();
    reject.reset();
  };
  return (
    <>
      <Group gap="xs" wrap="nowrap">
        <Button
          size="compact-md"
          variant="default"
          onClick={() => {
            setAsking('reject');
          }}
        >
          Reject
        </Button>
        <Button
          size="compact-md"
          onClick={() => {
            setAsking('approve');
          }}
        >
          Approve
        </Button>
      </Group>
      <Ask
        opened={asking === 'approve'}
        title="Make it the champion?"
        reason="Comment"
        action="Approve and promote"
        busy={approve.isPending}
        error={approve.error}
        onClose={close}
        onAnswer={(comment) => {
          approve.mutate({ runId: gate.runId, comment }, { onSuccess: close });
        }}
      >
        The {gate.config?.alias} of this base model will be the last checkpoint of {gate.runName}. It can be rolled back.
      </Ask>
      <Ask
        opened={asking === 'reject'}
        title="Keep the champion?"
        reason="Comment"
        action="Reject the candidate"
        color="red"
        busy={reject.isPending}
        error={reject.error}
        onClose={close}
        onAnswer={(comment) => {
          reject.mutate({ runId: gate.runId, comment }, { onSuccess: close });
        }}
      >
        The candidate of {gate.runName} will not be promoted. Its checkpoint stays and can still be set by hand.
      </Ask>
    </>
  );
}
