import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from 'react-router';
import { registry } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import type { Checkpoint } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { aliasMove } from './alias-move';
import { Ask } from './ask';

/** Promotes a checkpoint by hand. */
export function MakeChampion({ checkpoint }: { checkpoint: Checkpoint }) {
  const [asking, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const set = useRpcMutation(registry.setAlias, { invalidates: aliasMove });
  return (
    <>
      <Button variant="default" size="compact-md" onClick={open}>
        Make it the champion
      </Button>
      <Ask
        opened={asking}
        title="Make it the champion?"
        reason="Why"
        action="Make it the champion"
        busy={set.isPending}
        error={set.error}
        onClose={() => {
          set.reset();
          close();
        }}
        onAnswer={(reason) => {
          set.mutate({ checkpointId: checkpoint.id, name: 'champion', reason }, { onSuccess: () => void navigate('/champion') });
        }}
      >
        No gate is asked: the champion of {checkpoint.baseModelPath} will be this checkpoint. It can be rolled back.
      </Ask>
    </>
  );
}
