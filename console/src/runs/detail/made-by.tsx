import { Badge } from '@mantine/core';
import { short } from '../../format';
import type { Pair } from '@stic/api/gen/stic/runs/v1/runs.js';
import { plainWords } from '../../words';

export const isMisleading = (pair: Pair): boolean => pair.madeBy === 'misleading_prompt';

export const isImported = (pair: Pair): boolean => pair.madeBy === 'imported';

/** low resolution, shorter side px 20. */
export function madeByWords(pair: Pair): string {
  const parameters = Object.entries(pair.corruptionParameters).map(([name, value]) => `${plainWords(name)} ${short(value)}`);
  return [plainWords(pair.madeBy), ...parameters].join(', ');
}

/** What made the rejected text. */
export function MadeBy({ pair }: { pair: Pair }) {
  return (
    <Badge variant="light" color={isMisleading(pair) ? 'grape' : 'orange'} tt="none" fw={500} maw="100%">
      {madeByWords(pair)}
    </Badge>
  );
}
