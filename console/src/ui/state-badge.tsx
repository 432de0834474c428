import { Badge } from '@mantine/core';
import type { Look } from '../states';
import { StateShape } from './icons';

export function StateBadge({ look, note, size = 'md' }: { look: Look; note?: string; size?: 'sm' | 'md' | 'lg' }) {
  return (
    <Badge
      color={look.color}
      variant="light"
      size={size}
      tt="none"
      fw={600}
      miw="max-content"
      leftSection={<StateShape shape={look.shape} />}
    >
      {look.word}
      {note ? `, ${note}` : ''}
    </Badge>
  );
}
