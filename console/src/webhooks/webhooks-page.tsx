import { Button, Stack } from '@mantine/core';
import { useState } from 'react';
import { webhooks } from '../api/clients';
import { usePages } from '../api/hooks';
import type { EndpointWithSecret } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import { PageHeader } from '../ui/layout';
import { Deliveries } from './deliveries';
import { EndpointCard } from './endpoint-card';
import { NewEndpoint } from './new-endpoint';
import { SecretShown } from './secret-shown';

export function WebhooksPage() {
  const pages = usePages(webhooks.listEndpoints, { pageSize: 50 }, { pollMs: 10_000 });
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<EndpointWithSecret>();
  const endpoints = pages.data?.pages.flatMap((page) => page.endpoints) ?? [];
  return (
    <Stack gap="md">
      <PageHeader
        title="Webhooks"
        detail="Other programs that are told what happened, by the Standard Webhooks rules: signed, stored, and sent until they are taken."
        actions={
          <Button
            variant="default"
            size="compact-md"
            onClick={() => {
              setAdding(true);
            }}
          >
            Add an endpoint
          </Button>
        }
      />
      {pages.isError && <Failure error={pages.error} what="The endpoints" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines />}
      {pages.isSuccess && endpoints.length === 0 && (
        <Empty title="No endpoints yet">
          An endpoint is an address that gets a signed POST when a run ends, a champion changes or a person has to decide. Add one, and send
          it a test.
        </Empty>
      )}
      {endpoints.map((endpoint) => (
        <EndpointCard key={endpoint.id} endpoint={endpoint} onSecret={setMade} />
      ))}
      <LoadMore pages={pages} />
      {endpoints.length > 0 && <Deliveries endpoints={endpoints} />}
      <NewEndpoint
        opened={adding}
        onClose={() => {
          setAdding(false);
        }}
        onMade={setMade}
      />
      <SecretShown
        made={made}
        onClose={() => {
          setMade(undefined);
        }}
      />
    </Stack>
  );
}
