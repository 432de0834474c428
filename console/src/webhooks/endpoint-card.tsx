import { Button, Group, Switch, Text } from '@mantine/core';
import { webhooks } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import { ago, moment } from '../format';
import type { Endpoint, EndpointWithSecret } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { Confirm } from '../ui/confirm';
import { Facts, Section } from '../ui/layout';

const changed = { invalidates: [webhooks.listEndpoints, webhooks.listDeliveries] };

export function EndpointCard({ endpoint, onSecret }: { endpoint: Endpoint; onSecret: (made: EndpointWithSecret) => void }) {
  const { id, url, description, events, enabled } = endpoint;
  const update = useRpcMutation(webhooks.updateEndpoint, changed);
  const rotate = useRpcMutation(webhooks.rotateSecret, changed);
  const test = useRpcMutation(webhooks.testEndpoint, changed);
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
              update.mutate({ endpointId: id, url, description, events, enabled: event.currentTarget.checked });
            }}
          />
          <Button
            variant="default"
            size="compact-md"
            loading={test.isPending}
            onClick={() => {
              test.mutate({ endpointId: id });
            }}
          >
            Send a test
          </Button>
          <Button
            variant="default"
            size="compact-md"
            loading={rotate.isPending}
            onClick={() => {
              rotate.mutate({ endpointId: id }, { onSuccess: onSecret });
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
  const remove = useRpcMutation(webhooks.deleteEndpoint, changed);
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
        remove.mutate({ endpointId: endpoint.id }, { onSuccess: close });
      }}
    >
      {endpoint.url} will be told nothing any more, and its deliveries are deleted with it.
    </Confirm>
  );
}
