import { Button, Code, Group, Select, Stack, Table, Text } from '@mantine/core';
import { Fragment, useState } from 'react';
import { webhooks } from '../api/clients';
import { usePages, useRpcMutation } from '../api/hooks';
import { ago, moment } from '../format';
import { type Delivery, DeliveryState, type DeliveryTry, type Endpoint } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { Failure, Lines, LoadMore } from '../ui/feedback';
import { Section } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { deliveryLook } from '../states';

const states = [DeliveryState.DELIVERY_STATE_PENDING, DeliveryState.DELIVERY_STATE_DELIVERED, DeliveryState.DELIVERY_STATE_FAILED];

export function Deliveries({ endpoints }: { endpoints: Endpoint[] }) {
  const [endpointId, setEndpoint] = useState('');
  const [state, setState] = useState(DeliveryState.DELIVERY_STATE_UNSPECIFIED);
  const pages = usePages(webhooks.listDeliveries, { endpointId, state, pageSize: 50 }, { pollMs: 3000 });
  const deliveries = pages.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const urls = new Map(endpoints.map(({ id, url }) => [id, url]));
  return (
    <Section
      title="Deliveries"
      note="Newest first. What is not taken is tried again after 5 s, 5 min, 30 min and so on, eight times in all."
      actions={
        <Group gap="xs" wrap="nowrap">
          <Select
            aria-label="Endpoint"
            size="xs"
            w={240}
            placeholder="All endpoints"
            clearable
            value={endpointId || null}
            onChange={(value) => {
              setEndpoint(value ?? '');
            }}
            data={endpoints.map(({ id, url }) => ({ value: id, label: url }))}
          />
          <Select
            aria-label="State"
            size="xs"
            w={130}
            placeholder="All states"
            clearable
            value={state === DeliveryState.DELIVERY_STATE_UNSPECIFIED ? null : state}
            onChange={(value) => {
              setState(states.find((one) => one === value) ?? DeliveryState.DELIVERY_STATE_UNSPECIFIED);
            }}
            data={states.map((one) => ({ value: one, label: deliveryLook(one).word }))}
          />
        </Group>
      }
    >
      {pages.isError && <Failure error={pages.error} what="The deliveries" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines rows={3} />}
      {pages.isSuccess && deliveries.length === 0 && (
        <Text fz="sm" c="dimmed">
          {endpointId || state !== DeliveryState.DELIVERY_STATE_UNSPECIFIED
            ? 'None of this endpoint in this state.'
            : 'Nothing has been sent yet. A test shows whether the receiver is there.'}
        </Text>
      )}
      {deliveries.length > 0 && <DeliveryTable deliveries={deliveries} urls={urls} />}
      <LoadMore pages={pages} />
    </Section>
  );
}

function DeliveryTable({ deliveries, urls }: { deliveries: Delivery[]; urls: ReadonlyMap<string, string> }) {
  const [open, setOpen] = useState('');
  return (
    <div style={{ overflowX: 'auto' }}>
      <Table aria-label="Deliveries" fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Event</Table.Th>
            <Table.Th>To</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Last answer</Table.Th>
            <Table.Th ta="right">Tries</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((delivery) => (
            <Fragment key={delivery.id}>
              <Row
                delivery={delivery}
                url={urls.get(delivery.endpointId) ?? ''}
                open={open === delivery.id}
                onToggle={() => {
                  setOpen(open === delivery.id ? '' : delivery.id);
                }}
              />
              {open === delivery.id && (
                <Table.Tr>
                  <Table.Td colSpan={7}>
                    <Details delivery={delivery} />
                  </Table.Td>
                </Table.Tr>
              )}
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface RowProps {
  delivery: Delivery;
  url: string;
  open: boolean;
  onToggle: () => void;
}

function Row({ delivery, url, open, onToggle }: RowProps) {
  const redeliver = useRpcMutation(webhooks.redeliver, { invalidates: [webhooks.listDeliveries] });
  const last = delivery.tries.at(-1);
  return (
    <Table.Tr>
      <Table.Td className="mono number">{delivery.eventType}</Table.Td>
      <Table.Td maw={150} title={url}>
        <Text fz="sm" truncate>
          {url.replace(/^https?:\/\//, '')}
        </Text>
      </Table.Td>
      <Table.Td>
        <StateBadge look={deliveryLook(delivery.state)} />
      </Table.Td>
      <Table.Td maw={190} title={redeliver.error?.message ?? (last && answerOf(last))}>
        <Text fz="sm" truncate c={redeliver.isError ? 'red' : undefined}>
          {redeliver.error?.message ?? (last ? answerOf(last) : '')}
        </Text>
      </Table.Td>
      <Table.Td ta="right" className="number">
        {delivery.tries.length}
      </Table.Td>
      <Table.Td className="number" title={moment(delivery.createdAt)}>
        {ago(delivery.createdAt)}
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap" justify="flex-end">
          <Button variant="default" size="compact-xs" aria-expanded={open} onClick={onToggle}>
            {open ? 'Less' : 'Details'}
          </Button>
          <Button
            variant="default"
            size="compact-xs"
            loading={redeliver.isPending}
            onClick={() => {
              redeliver.mutate({ deliveryId: delivery.id });
            }}
          >
            Send again
          </Button>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

/** 503: try later, or why there was no answer. */
function answerOf({ status, response, error }: DeliveryTry): string {
  const text = [error, response].filter(Boolean).join(' ');
  return status > 0 ? `${String(status)}${text ? `: ${text}` : ''}` : text;
}

function Details({ delivery }: { delivery: Delivery }) {
  return (
    <Stack gap="xs" pb="xs">
      {delivery.nextTryAt && <Text fz="sm">Next try {moment(delivery.nextTryAt)}.</Text>}
      {delivery.tries.map((one) => (
        <Text key={one.at?.toISOString()} fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {moment(one.at)}, {one.milliseconds} ms: {answerOf(one) || 'taken'}
        </Text>
      ))}
      <Code block mah={220} style={{ overflow: 'auto' }}>
        {delivery.payload}
      </Code>
    </Stack>
  );
}
