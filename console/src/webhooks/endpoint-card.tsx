import { Button, Group, Switch, Text } from '@mantine/core';
import { useDeleteEndpoint, useRotateSecret, useTestEndpoint, useUpdateEndpoint } from '../api/webhooks';
import { ago, moment } from '../format';
import type { Endpoint, EndpointWithSecret } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { Confirm } from '../ui/confirm';
import { Facts, Section } from '../ui/layout';

export function EndpointCard({ endpoint, onSecret }: { endpoint: Endpoint; onSecret: (made: EndpointWithSecret) => void }) {
  const { id, url, description, events, enabled } = endpoint;
  const update = useUpdateEndpoint(id);
  const rotate = useRotateSecret(id);
  const test = useTestEndpoint(id);
  const problem = update.error ?? rotate.error ?? test.error;
  return (
    <Section
      title={url}
      note={description}
      actions={
        <Group gap="xs" wrap="nowrap">
          <Switch
            label="Enabled"
            checked={enabled}
            disabled={update.isPending}
            onChange={(event) => {
              update.mutate({ url, description, events, enabled: event.currentTarget.checked });
            }}
          />
          <Button
            variant="default"
            size="compact-md"
            loading={test.isPending}
            onClick={() => {
              test.mutate(undefined);
            }}
          >
            Send a test
          </Button>
          <Button
            variant="default"
            size="compact-md"
            loading={rotate.isPending}
            onClick={() => {
              rotate.mutate(undefined, { onSuccess: onSecret });
            }}
          >
            Rotate the secret
          </Button>
          <Delete endpoint={endpoint} />
        </Group>
      }
    >
      <Facts
        facts={[
          ['Told of', events.join(', ')],
          ['Secret', `ends in ${endpoint.secretFingerprint} (of its digest)`],
          [
            'Added',
            <span key="added" title={moment(endpoint.createdAt)}>
              {ago(endpoint.createdAt)}
            </span>,
          ],
          ['Disabled', endpoint.disabledReason],
        ]}
      />
      {problem && (
        <Text c="red" fz="sm" mt="xs" role="alert">
          {problem.message}
        </Text>
      )}
    </Section>
  );
}

function Delete({ endpoint }: { endpoint: Endpoint }) {
  const remove = useDeleteEndpoint(endpoint.id);
  return (
    <Confirm
      opener={(open) => (
        <Button variant="default" size="compact-md" onClick={open}>
          Delete
        </Button>
      )}
      title="Delete this endpoint?"
      leave="Keep it"
      action="Delete the endpoint"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={(close) => {
        remove.mutate(undefined, { onSuccess: close });
      }}
    >
      {endpoint.url} will be told nothing any more, and its deliveries are deleted with it.
    </Confirm>
  );
}
