import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { webhooks } from '../api/clients';
import { hintOf, objectionTo } from '../api/errors';
import { useRpcMutation } from '../api/hooks';
import type { EndpointWithSecret } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { eventTypes } from './events';

interface NewEndpointProps {
  opened: boolean;
  onClose: () => void;
  onMade: (made: EndpointWithSecret) => void;
}

export function NewEndpoint({ opened, onClose, onMade }: NewEndpointProps) {
  const create = useRpcMutation(webhooks.createEndpoint, { invalidates: [webhooks.listEndpoints, webhooks.listDeliveries] });
  const [url, setUrl] = useState('');
  const [description, setDescription] = useState('');
  const [events, setEvents] = useState<string[]>(['run.failed', 'checkpoint.promoted', 'approval.needed']);
  const errorAt = (field: string): string | undefined => {
    const message = objectionTo(create.error, field);
    return message && `${message} ${hintOf(create.error)}`.trim();
  };
  const elsewhere = create.error && !['url', 'description', 'events'].some((field) => errorAt(field));

  const close = () => {
    create.reset();
    onClose();
  };
  const submit = (event: { preventDefault: () => void }) => {
    event.preventDefault();
    create.mutate(
      { url: url.trim(), description, events },
      {
        onSuccess: (made) => {
          setUrl('');
          setDescription('');
          close();
          onMade(made);
        },
      },
    );
  };

  return (
    <Modal opened={opened} onClose={close} title="Add an endpoint" centered>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Address"
            required
            placeholder="https://..."
            data-autofocus
            value={url}
            error={errorAt('url')}
            onChange={(event) => {
              setUrl(event.currentTarget.value);
            }}
          />
          <TextInput
            label="Description"
            value={description}
            error={errorAt('description')}
            onChange={(event) => {
              setDescription(event.currentTarget.value);
            }}
          />
          <Checkbox.Group label="Tell it when" value={events} onChange={setEvents} error={errorAt('events')}>
            <Stack gap={6} mt={4}>
              {eventTypes.map(([type, when]) => (
                <Checkbox key={type} value={type} label={`${when} (${type})`} />
              ))}
            </Stack>
          </Checkbox.Group>
          {elsewhere && (
            <Text c="red" fz="sm" role="alert">
              {create.error.message}
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Leave it
            </Button>
            <Button type="submit" loading={create.isPending}>
              Add it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
