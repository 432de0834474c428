import { Button, Group, Select, SimpleGrid, Text, TextInput } from '@mantine/core';
import type { ScheduleDraft } from './draft';

const common = [
  { cron: '30 2 * * *', label: 'every night' },
  { cron: '30 2 * * 1-5', label: 'weekday nights' },
  { cron: '0 3 * * 0', label: 'Sundays' },
  { cron: '0 * * * *', label: 'every hour' },
];

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];

export interface FieldsProps {
  draft: ScheduleDraft;
  errorAt: (path: string) => string | undefined;
  onChange: (change: Partial<ScheduleDraft>) => void;
}

export function WhenFields({ draft, errorAt, onChange }: FieldsProps) {
  return (
    <>
      <SimpleGrid cols={2} spacing="sm">
        <TextInput
          label="Cron expression"
          description="minute hour day month weekday"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={draft.cron}
          error={errorAt('cron')}
          onChange={(event) => {
            onChange({ cron: event.currentTarget.value });
          }}
        />
        <Select
          label="Time zone"
          description="The expression is read on the clocks of this zone"
          searchable
          allowDeselect={false}
          limit={100}
          data={zones.includes(draft.zone) ? zones : [draft.zone, ...zones]}
          value={draft.zone}
          error={errorAt('zone')}
          onChange={(zone) => {
            onChange({ zone: zone ?? draft.zone });
          }}
        />
      </SimpleGrid>
      <Group gap={6}>
        <Text fz="xs" c="dimmed">
          Often used:
        </Text>
        {common.map(({ cron, label }) => (
          <Button
            key={cron}
            size="compact-xs"
            variant="default"
            onClick={() => {
              onChange({ cron });
            }}
          >
            {label}
          </Button>
        ))}
      </Group>
    </>
  );
}
