import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from 'react-router';
import { useSetAlias } from '../api/registry';
import type { Checkpoint } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { Ask } from './ask';

/** Promotes a checkpoint by hand. */
export function MakeChampion({ checkpoint }: { checkpoint: Checkpoint }) {
  const [asking, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const set = useSetAlias();
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
          set.mutate({ checkpoint_id: checkpoint.id, name: 'champion', reason }, { onSuccess: () => void navigate('/champion') });
        }}
      >
        No gate is asked: the champion of {checkpoint.baseModelPath} will be this checkpoint. It can be rolled back.
      </Ask>
    </>
  );
}
