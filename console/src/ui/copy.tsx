import { ActionIcon, Button, Code, Group, Paper } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';

export function CopyIcon({ value, label }: { value: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <ActionIcon
      size="xs"
      variant="subtle"
      color={clipboard.copied ? 'teal' : 'gray'}
      aria-label={clipboard.copied ? 'Copied' : label}
      title={label}
      onClick={() => {
        clipboard.copy(value);
      }}
    >
      <svg width={12} height={12} viewBox="0 0 12 12" fill="none" stroke="currentColor" strokeWidth={1.3} aria-hidden>
        {clipboard.copied ? (
          <path d="M2.5 6.5l2.5 2.5 4.5-5.5" />
        ) : (
          <>
            <rect x={4} y={4} width={6.5} height={6.5} rx={1} />
            <path d="M8 4V2.5a1 1 0 0 0-1-1H2.5a1 1 0 0 0-1 1V7a1 1 0 0 0 1 1H4" />
          </>
        )}
      </svg>
    </ActionIcon>
  );
}

export function CopyButton({ value, children }: { value: string; children: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <Button
      size="compact-sm"
      variant="default"
      onClick={() => {
        clipboard.copy(value);
      }}
    >
      {clipboard.copied ? 'Copied' : children}
    </Button>
  );
}

/** Text to take elsewhere: a command, a path, a file. */
export function CopyBlock({ value, label, maxHeight }: { value: string; label: string; maxHeight?: number }) {
  return (
    <Paper withBorder p={0} pos="relative">
      <Group pos="absolute" top={6} right={6}>
        <CopyIcon value={value} label={label} />
      </Group>
      <Code block mah={maxHeight} style={{ overflow: 'auto' }} pr={32}>
        {value}
      </Code>
    </Paper>
  );
}
