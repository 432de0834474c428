import { Code, Group, Tooltip } from '@mantine/core';
import { CopyIcon } from './copy';

/** A digest, shortened, with the whole on hover and on copy. */
export function Digest({ value, length = 12 }: { value: string; length?: number }) {
  if (!value) return null;
  return (
    <Group gap={4} wrap="nowrap" display="inline-flex">
      <Tooltip label={value}>
        <Code>{value.slice(0, length)}</Code>
      </Tooltip>
      <CopyIcon value={value} label="Copy the digest" />
    </Group>
  );
}
