import { Group, Text } from '@mantine/core';
import { useGate } from '../api/registry';
import { moment } from '../format';
import { type Gate, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Failure } from '../ui/feedback';
import { Section } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { DecideGate } from './decide-gate';
import { gateRule } from './gate-rule';
import { gateLook } from './looks';
import { Verdict } from './verdict';

/** The gate at the end of a run, where its recipe has one. */
export function GateSection({ run, live }: { run: Run; live: boolean }) {
  const config = run.recipe?.gate;
  const gate = useGate(run.id, { live, wanted: config !== undefined });
  if (!config) return null;
  if (gate.isError) return <Failure error={gate.error} what="The gate" onRetry={() => void gate.refetch()} />;
  return (
    <Section title="Gate" note={gateRule(config)} actions={gate.data && <Decision gate={gate.data} />}>
      {gate.data && <Verdict gate={gate.data} />}
      {gate.data === null && (
        <Text fz="sm" c="dimmed">
          {live
            ? 'The verdict will appear here when the evaluation is over.'
            : 'The run ended before it was evaluated: nothing was decided.'}
        </Text>
      )}
      {gate.data?.decidedAt && gate.data.state !== GateState.GATE_STATE_ABANDONED && (
        <Text fz="xs" c="dimmed" mt={6}>
          Decided by {gate.data.decidedBy}, {moment(gate.data.decidedAt)}
          {gate.data.comment ? `: “${gate.data.comment}”` : '.'}
        </Text>
      )}
    </Section>
  );
}

function Decision({ gate }: { gate: Gate }) {
  return (
    <Group gap="xs" wrap="nowrap">
      <StateBadge look={gateLook(gate.state)} size="lg" />
      <DecideGate gate={gate} />
    </Group>
  );
}
