import { Button } from '@mantine/core';
import { usePin } from '../api/retention';
import type { Checkpoint } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';

/** Pinned ones stay whatever the retention rules say. */
export function PinButton({ checkpoint }: { checkpoint: Checkpoint }) {
  const pin = usePin(checkpoint.id);
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
        pin.mutate(!pinned);
      }}
    >
      {pinned ? 'Unpin' : 'Pin'}
    </Button>
  );
}
