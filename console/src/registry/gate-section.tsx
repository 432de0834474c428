import { Group, Text } from '@mantine/core';
import { registry } from '../api/clients';
import { isMissing } from '../api/errors';
import { useRpc } from '../api/hooks';
import { moment } from '../format';
import { type Gate, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Failure } from '../ui/feedback';
import { Section } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { gateLook } from '../states';
import { DecideGate } from './decide-gate';
import { gateRule } from './gate-rule';
import { Verdict } from './verdict';

/** The gate at the end of a run, where its recipe has one. */
export function GateSection({ run, live }: { run: Run; live: boolean }) {
  const config = run.recipe?.gate;
  const gate = useRpc(
    registry.getGate,
    { runId: run.id },
    { enabled: config !== undefined, version: live, refetchInterval: live ? 5000 : false },
  );
  if (!config) return null;
  const none = isMissing(gate.error);
  if (gate.isError && !none) return <Failure error={gate.error} what="The gate" onRetry={() => void gate.refetch()} />;
  return (
    <Section title="Gate" note={gateRule(config)} actions={gate.data && <Decision gate={gate.data} />}>
      {gate.data && <Verdict gate={gate.data} />}
      {none && (
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
