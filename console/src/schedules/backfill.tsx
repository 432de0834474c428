import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { schedules } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import { counted } from '../format';
import type { Schedule } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { newRequestId } from '../request-id';

/** Asks for a past interval, on the reader's clock, and fires for what was skipped in it. */
export function Backfill({ schedule }: { schedule: Schedule }) {
  const [asking, { open, close }] = useDisclosure(false);
  const [start, setStart] = useState('');
  const [end, setEnd] = useState('');
  const backfill = useRpcMutation(schedules.backfillSchedule, { invalidates: [schedules.listTicks] });
  const done = backfill.data;
  const whole = start !== '' && end !== '';
  const field = (label: string, value: string, change: (value: string) => void) => (
    <TextInput
      type="datetime-local"
      label={label}
      value={value}
      onChange={(event) => {
        backfill.reset();
        change(event.currentTarget.value);
      }}
    />
  );
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={open}>
        Back-fill
      </Button>
      <Modal opened={asking} onClose={close} title="Back-fill a past interval" centered>
        <Stack gap="sm">
          <Text fz="sm">
            Fires for every time of the interval that has not fired, one after the other, with today's images. Times are on your own clock.
          </Text>
          {field('From', start, setStart)}
          {field('Until', end, setEnd)}
          {backfill.isError && (
            <Text c="red" fz="sm" role="alert">
              {backfill.error.message}
            </Text>
          )}
          {done && (
            <Text fz="sm" role="status">
              {counted(done.ticks.length, 'time')} will fire{done.already > 0 ? `; ${counted(done.already, 'time')} had fired already` : ''}
              .
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Close
            </Button>
            <Button
              disabled={!whole || done !== undefined}
              loading={backfill.isPending}
              onClick={() => {
                const interval = { start: new Date(start), end: new Date(end) };
                backfill.mutate({ scheduleId: schedule.id, requestId: newRequestId(), ...interval });
              }}
            >
              Back-fill
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
