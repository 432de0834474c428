import { Box, Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The top of a page: where one is, and what one can do here. */
export function PageHeader({ title, detail, actions }: { title: ReactNode; detail?: ReactNode; actions?: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-start" wrap="nowrap">
      <Stack gap={2} miw={0}>
        <Title order={1} fz={22} style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {detail && (
          <Text c="dimmed" fz="sm" component="div">
            {detail}
          </Text>
        )}
      </Stack>
      {actions && (
        <Group gap="xs" wrap="nowrap">
          {actions}
        </Group>
      )}
    </Group>
  );
}

/** A titled part of a page. */
export function Section({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <Box component="section" className="panel" p="md" aria-label={title}>
      <Group justify="space-between" mb="sm" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <Title order={2} fz="lg">
            {title}
          </Title>
          {note && (
            <Text c="dimmed" fz="sm" component="div">
              {note}
            </Text>
          )}
        </div>
        {actions && <div style={{ flexShrink: 0 }}>{actions}</div>}
      </Group>
      {children}
    </Box>
  );
}

/** Names and values in a compact grid. */
export function Facts({ facts }: { facts: (readonly [string, ReactNode])[] }) {
  return (
    <Box
      component="dl"
      m={0}
      style={{
        display: 'grid',
        gridTemplateColumns: 'max-content minmax(0, 1fr)',
        columnGap: 16,
        rowGap: 4,
        alignItems: 'baseline',
      }}
    >
      {facts
        .filter(([, value]) => value !== '' && value !== undefined && value !== null)
        .map(([name, value]) => (
          <Box key={name} style={{ display: 'contents' }}>
            <Text component="dt" c="dimmed" fz="sm">
              {name}
            </Text>
            <Text component="dd" m={0} fz="sm" style={{ overflowWrap: 'anywhere' }}>
              {value}
            </Text>
          </Box>
        ))}
    </Box>
  );
}
