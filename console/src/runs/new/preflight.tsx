import { Table, Text } from '@mantine/core';
import { count, duration } from '../../format';
import type { Preflight } from '@stic/api/gen/stic/runs/v1/runs.js';
import { stageWord } from '../../words';

const gigabytes = (bytes: bigint | number): string => `${(Number(bytes) / 1e9).toFixed(1)} GB`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What the server and the trainer know of a run before it starts. */
export function PreflightTable({ preflight }: { preflight: Preflight }) {
  const rows = facts(preflight);
  return (
    <>
      <Table aria-label="Estimate" fz="sm" withRowBorders={false} verticalSpacing={2}>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th fw="normal" c="dimmed">
                {name}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {preflight.obstacles.map(({ message, hint }) => (
        <Text key={message} fz="sm" c="red" role="alert">
          {message} {hint}
        </Text>
      ))}
    </>
  );
}

function facts({ refused, estimate, unavailable, seconds }: Preflight): [string, string][] {
  const shares = refused.map(({ role, refused: lost, share, allowed }): [string, string] => [
    `Refused ${role}`,
    `${count(lost)} (${percent(share)} of at most ${percent(allowed)})`,
  ]);
  if (!estimate) return [...shares, ['Estimate', `not available: ${unavailable}`]];
  const images = estimate.inputs.flatMap(({ role, imageTokens }): [string, string][] =>
    imageTokens ? [[`Tokens of an image (${role})`, spread(imageTokens)]] : [],
  );
  const lengths = estimate.stages.flatMap(({ kind, sampled, shortest, longest, alwaysTooLong, possiblyTooLong }): [string, string][] => {
    const lost = possiblyTooLong === 0 ? '' : `; ${count(alwaysTooLong)} to ${count(possiblyTooLong)} of ${count(sampled)} too long`;
    return shortest && longest ? [[`Tokens of a row, ${stageWord(kind)}`, `${count(shortest.min)} to ${count(longest.max)}${lost}`]] : [];
  });
  const needed = estimate.stages.reduce((most, stage) => Math.max(most, Number(stage.memoryBytes)), 0);
  return [
    ...shares,
    ...images,
    ...lengths,
    ['Memory', `up to ${gigabytes(needed)} of ${gigabytes(estimate.memoryBytes)}`],
    ['Time', seconds < 0 ? 'not known before a first run with this model' : `about ${duration(seconds)}, by earlier runs`],
  ];
}

const spread = ({ min, median, max }: { min: number; median: number; max: number }): string =>
  min === max ? count(max) : `${count(min)} to ${count(max)}, median ${count(median)}`;
