import { Button, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from 'react-router';
import { useDeleteSchedule } from '../api/schedules';
import type { Schedule } from '../gen/stic/schedules/v1/schedules';

export function DeleteSchedule({ schedule }: { schedule: Schedule }) {
  const [asking, { open, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const remove = useDeleteSchedule(schedule.id);
  return (
    <>
      <Button variant="default" size="compact-md" onClick={open}>
        Delete
      </Button>
      <Modal opened={asking} onClose={close} title="Delete this schedule?" centered>
        <Text fz="sm">
          It never fires again, and the list of its past fires and skips is gone. The runs it has made stay, and one that is under way goes
          on. To stop it for a while, pause it.
        </Text>
        {remove.isError && (
          <Text c="red" fz="sm" mt="xs" role="alert">
            {remove.error.message}
          </Text>
        )}
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => {
              remove.mutate(undefined, { onSuccess: () => void navigate('/schedules') });
            }}
          >
            Delete the schedule
          </Button>
        </Group>
      </Modal>
    </>
  );
}
