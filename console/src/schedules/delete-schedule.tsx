import { Button } from '@mantine/core';
import { useNavigate } from 'react-router';
import { schedules } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import type { Schedule } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { Confirm } from '../ui/confirm';

export function DeleteSchedule({ schedule }: { schedule: Schedule }) {
  const navigate = useNavigate();
  const remove = useRpcMutation(schedules.deleteSchedule, { invalidates: [schedules.listSchedules] });
  return (
    <Confirm
      opener={(open) => (
        <Button variant="default" size="compact-md" onClick={open}>
          Delete
        </Button>
      )}
      title="Delete this schedule?"
      leave="Keep it"
      action="Delete the schedule"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        remove.mutate({ scheduleId: schedule.id }, { onSuccess: () => void navigate('/schedules') });
      }}
    >
      It never fires again, and the list of its past fires and skips is gone. The runs it has made stay, and one that is under way goes on.
      To stop it for a while, pause it.
    </Confirm>
  );
}
