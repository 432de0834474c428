import { Stack } from '@mantine/core';
import { Link } from 'react-router';
import { registry } from '../api/clients';
import { usePages, useRpc } from '../api/hooks';
import { ago } from '../format';
import { type Gate, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import { PageHeader, Section } from '../ui/layout';
import { AliasSection } from './alias-section';
import { DecideGate } from './decide-gate';
import { Verdict } from './verdict';

export function ChampionPage() {
  const pages = usePages(registry.listAliases, { pageSize: 50 }, { pollMs: 10_000 });
  const pending = useRpc(registry.listGates, { pageSize: 200, state: GateState.GATE_STATE_PENDING }, { refetchInterval: 10_000 });
  const aliases = pages.data?.pages.flatMap((page) => page.aliases) ?? [];
  const gates = pending.data?.gates ?? [];
  return (
    <Stack gap="md">
      <PageHeader
        title="Champion"
        detail="The checkpoint to use of each base model, how it came to be, and what waits to take its place."
      />
      {pending.isError && <Failure error={pending.error} what="What waits for approval" onRetry={() => void pending.refetch()} />}
      {gates.map((gate) => (
        <Waiting key={gate.runId} gate={gate} />
      ))}
      {pages.isError && <Failure error={pages.error} what="The aliases" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines />}
      {pages.isSuccess && aliases.length === 0 && gates.length === 0 && (
        <Empty title="No champion yet" to="/checkpoints" action="Go to the checkpoints">
          A run whose recipe ends with a gate promotes its last checkpoint when it is good enough. A checkpoint can also be made the
          champion by hand, on its own page.
        </Empty>
      )}
      {aliases.map((alias) => (
        <AliasSection key={alias.id} alias={alias} />
      ))}
      <LoadMore pages={pages} />
    </Stack>
  );
}

function Waiting({ gate }: { gate: Gate }) {
  return (
    <Section
      title={`${gate.runName} waits for approval`}
      note={
        <>
          to become {gate.config?.alias}; made {ago(gate.createdAt)} by <Link to={`/runs/${gate.runId}`}>its run</Link>
        </>
      }
      actions={<DecideGate gate={gate} />}
    >
      <Verdict gate={gate} />
    </Section>
  );
}
