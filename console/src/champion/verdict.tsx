import { List, Text } from '@mantine/core';
import { signed } from '../format';
import type { Gate } from '../gen/stic/registry/v1/registry';
import { IntervalPlot } from '../run/interval-plot';
import { plainWords } from '../words';

/** What a gate decided: in words, as a picture with the drop it allows, and in figures. */
export function Verdict({ gate }: { gate: Gate }) {
  const [verdict, ...rest] = gate.reasons;
  const against = gate.championId ? `the champion of ${gate.championRunName}` : 'the base model';
  if (gate.benchmarks.length === 0) return verdict ? <Text fz="sm">{verdict}</Text> : null;
  const limit = gate.config && { at: -gate.config.maxDrop, label: `allowed drop ${gate.config.maxDrop.toFixed(1)}` };
  return (
    <>
      <Text fz="sm" fw={600} mb="xs">
        {verdict}
      </Text>
      <IntervalPlot
        label={`Candidate against ${against}, with intervals and the drop that is allowed`}
        limit={limit}
        groups={gate.benchmarks.map(({ benchmark, metric, gain, low, high, tooBad }) => ({
          title: `${benchmark} (${plainWords(metric)})`,
          intervals: [{ label: tooBad ? 'candidate: too much worse' : 'candidate', gain, low, high }],
        }))}
      />
      <Text fz="sm" mt="xs">
        Mean gain {signed(gate.meanGain)} points over{' '}
        {gate.benchmarks.length === 1 ? 'one benchmark' : `${String(gate.benchmarks.length)} benchmarks`},{' '}
        {gate.config ? `${signed(gate.config.minMeanGain)} asked for` : ''}; against {against}.
      </Text>
      <List fz="sm" c="dimmed" mt={4} aria-label="Figures of the verdict">
        {rest.map((reason) => (
          <List.Item key={reason}>{reason}</List.Item>
        ))}
      </List>
    </>
  );
}
