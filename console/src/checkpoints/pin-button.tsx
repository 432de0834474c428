import { Button } from '@mantine/core';
import { checkpoints, retention } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import type { Checkpoint } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';

/** Pinned ones stay whatever the retention rules say. */
export function PinButton({ checkpoint }: { checkpoint: Checkpoint }) {
  const pin = useRpcMutation(retention.pinCheckpoint, {
    invalidates: [checkpoints.getCheckpoint, checkpoints.listCheckpoints, retention.planRetention],
  });
  const pinned = checkpoint.pinnedAt !== undefined;
  return (
    <Button
      variant="default"
      size="compact-md"
      aria-pressed={pinned}
      loading={pin.isPending}
      color={pin.isError ? 'red' : undefined}
      title={pin.isError ? pin.error.message : pinned ? 'The retention rules may delete it again' : 'No retention rule deletes it'}
      onClick={() => {
        pin.mutate({ checkpointId: checkpoint.id, pinned: !pinned });
      }}
    >
      {pinned ? 'Unpin' : 'Pin'}
    </Button>
  );
}
