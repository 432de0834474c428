import { List, Spoiler, Text } from '@mantine/core';
import { signed } from '../format';
import type { BenchmarkVerdict, Gate } from '@stic/api/gen/stic/registry/v1/registry.js';
import { IntervalPlot } from '../runs/detail/interval-plot';
import { plainWords } from '../words';

/** What a gate decided: in words, as a picture with the drop it allows, and in figures. */
export function Verdict({ gate }: { gate: Gate }) {
  // The server puts the verdict, with every objection, before the figures: one line for each benchmark.
  const verdict = gate.reasons.slice(0, gate.reasons.length - gate.benchmarks.length);
  const figures = gate.reasons.slice(verdict.length);
  const against = gate.championId ? `the champion of ${gate.championRunName}` : 'the base model';
  const asked = gate.config ? `, ${signed(gate.config.minMeanGain)} asked for` : '';
  return (
    <>
      {verdict.map((reason) => (
        <Text key={reason} fz="sm" fw={600}>
          {reason}
        </Text>
      ))}
      {gate.benchmarks.length > 0 && (
        <>
          <IntervalPlot
            label={`Candidate against ${against}, with intervals and the drop that is allowed`}
            limit={gate.config && { at: -gate.config.maxDrop, label: `allowed drop ${gate.config.maxDrop.toFixed(1)}` }}
            groups={[{ title: 'Gain of the candidate', intervals: gate.benchmarks.map(interval) }]}
          />
          <Text fz="sm" mt={4} mb={4}>
            Mean gain {signed(gate.meanGain)} points against {against}
            {asked}.
          </Text>
          <Spoiler maxHeight={0} showLabel="Show the figures" hideLabel="Hide the figures" fz="sm">
            <List fz="sm" c="dimmed" aria-label="Figures of the verdict">
              {figures.map((figure) => (
                <List.Item key={figure}>{figure}</List.Item>
              ))}
            </List>
          </Spoiler>
        </>
      )}
    </>
  );
}

function interval({ benchmark, metric, gain, low, high, tooBad }: BenchmarkVerdict) {
  return { label: tooBad ? `${benchmark}: too much worse` : `${benchmark} (${plainWords(metric)})`, gain, low, high };
}
