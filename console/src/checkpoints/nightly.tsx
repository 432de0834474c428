import { Alert, Button, Group, NumberInput, Select, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { hintOf } from '../api/errors';
import { retention } from '../api/clients';
import { useRpcMutation } from '../api/hooks';
import { moment } from '../format';
import type { RetentionPolicy, RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';
import { Section } from '../ui/layout';

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];

const numbers = [
  { name: 'hour', label: 'At hour', most: 23 },
  { name: 'deliveryDays', label: 'Webhook deliveries, days', most: 36_500 },
  { name: 'skippedTickDays', label: 'Skipped ticks, days', most: 36_500 },
] as const;

/** Has the rules above applied by themselves. Nothing changes before it is stored. */
export function Nightly({ policy, rules }: { policy: RetentionPolicy; rules: RetentionRules }) {
  const [draft, setDraft] = useState(policy);
  const store = useRpcMutation(retention.setRetentionPolicy, { invalidates: [retention.getRetentionPolicy] });
  const wanted = { ...draft, rules, nextAt: undefined };
  const isStored = JSON.stringify(wanted) === JSON.stringify({ ...policy, nextAt: undefined });
  return (
    <Section
      title="Every night"
      note={policy.nextAt ? `The stored rules are applied next at ${moment(policy.nextAt)}.` : 'Off: nothing is deleted by itself.'}
      actions={
        <Button
          variant="default"
          size="compact-md"
          disabled={isStored}
          loading={store.isPending}
          onClick={() => {
            store.mutate({ policy: wanted });
          }}
        >
          {isStored ? 'Stored' : 'Store these rules'}
        </Button>
      }
    >
      <Switch
        label="Apply these rules every night"
        checked={draft.enabled}
        mb="sm"
        onChange={(event) => {
          setDraft({ ...draft, enabled: event.currentTarget.checked });
        }}
      />
      <Group gap="md">
        {numbers.map(({ name, label, most }) => (
          <NumberInput
            key={name}
            label={label}
            value={draft[name]}
            min={0}
            max={most}
            allowDecimal={false}
            w={200}
            onChange={(value) => {
              if (typeof value === 'number') setDraft({ ...draft, [name]: value });
            }}
          />
        ))}
        <Select
          label="Time zone"
          searchable
          allowDeselect={false}
          limit={100}
          data={zones.includes(draft.zone) ? zones : [draft.zone, ...zones]}
          value={draft.zone}
          onChange={(zone) => {
            setDraft({ ...draft, zone: zone ?? draft.zone });
          }}
        />
      </Group>
      <Text fz="xs" c="dimmed" mt={6}>
        Deliveries that arrived or were given up and ticks that were skipped go when they are older; 0 keeps them.
      </Text>
      {store.isError && (
        <Alert color="red" mt="sm" role="alert">
          <Text fz="sm">{store.error.message}</Text>
          {hintOf(store.error) && <Text fz="sm">{hintOf(store.error)}</Text>}
        </Alert>
      )}
    </Section>
  );
}
