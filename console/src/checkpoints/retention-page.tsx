import { Badge, Button, Checkbox, Group, NumberInput, Stack, Table, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { Link } from 'react-router';
import { checkpoints, retention } from '../api/clients';
import { useRpc, useRpcMutation } from '../api/hooks';
import { ago, bytes, moment } from '../format';
import type { RetentionPlan, RetentionPolicy, RetentionRules, Verdict } from '@stic/api/gen/stic/retention/v1/retention.js';
import { Confirm } from '../ui/confirm';
import { Empty, Failure, Lines } from '../ui/feedback';
import { PageHeader, Section } from '../ui/layout';
import { subjectWord } from '../words';
import { Applications } from './applications';
import { Nightly } from './nightly';
import { Orphans } from './orphans';

const fields = [
  ['keepDays', 'Younger than, days'],
  ['keepLastPerSchedule', 'Last runs of each schedule'],
  ['keepBestPerBenchmark', 'Best on each benchmark'],
] as const;

const keepsNothing = (rules: RetentionRules): boolean => fields.every(([name]) => rules[name] === 0);

export function RetentionPage() {
  const policy = useRpc(retention.getRetentionPolicy, {});
  if (policy.isError) return <Failure error={policy.error} what="The rules" onRetry={() => void policy.refetch()} />;
  return policy.data ? <Retention policy={policy.data} /> : <Lines />;
}

/** Starts from the stored rules; what is typed is tried out until it is stored. */
function Retention({ policy }: { policy: RetentionPolicy }) {
  const [rules, setRules] = useState(policy.rules ?? { keepLastPerSchedule: 0, keepBestPerBenchmark: 0, keepDays: 0, keepNone: false });
  const [settled] = useDebouncedValue(rules, 300);
  const plan = useRpc(retention.planRetention, { rules: settled }, { placeholderData: (previous) => previous });
  // What is shown belongs to other rules as long as they are still being typed or asked for.
  const current = settled === rules && plan.isSuccess && !plan.isPlaceholderData;
  return (
    <Stack gap="md">
      <PageHeader
        title="Make room"
        detail="Which checkpoints the rules would delete, and why the others stay. Nothing is deleted before you say so."
        actions={<DeletePlanned plan={current ? plan.data : undefined} />}
      />
      <Section
        title="Keep"
        note="Always kept: what is pinned, what an alias points at or would go back to, what a run under way needs, and all that a kept checkpoint was made from."
      >
        <Group gap="md">
          {fields.map(([name, label]) => (
            <NumberInput
              key={name}
              label={label}
              value={rules[name]}
              min={0}
              max={36_500}
              allowDecimal={false}
              w={200}
              onChange={(value) => {
                if (typeof value === 'number') setRules({ ...rules, [name]: value, keepNone: false });
              }}
            />
          ))}
        </Group>
        {keepsNothing(rules) && (
          <Checkbox
            mt="sm"
            label="Keep nothing: delete every checkpoint that is not always kept"
            checked={rules.keepNone}
            onChange={(event) => {
              setRules({ ...rules, keepNone: event.currentTarget.checked });
            }}
          />
        )}
      </Section>
      <Nightly policy={policy} rules={rules} />
      {plan.isError && <Failure error={plan.error} what="The plan" onRetry={() => void plan.refetch()} />}
      {plan.isPending && <Lines />}
      {plan.data && <Plan plan={plan.data} />}
      <Applications />
      <Orphans />
    </Stack>
  );
}

function Plan({ plan }: { plan: RetentionPlan }) {
  if (plan.verdicts.length === 0) {
    return (
      <Empty title="No checkpoints yet" to="/runs/new" action="Start a run">
        There is nothing to delete.
      </Empty>
    );
  }
  return (
    <div className="panel" style={{ overflowX: 'auto' }}>
      <Table aria-label="The plan">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Fate</Table.Th>
            <Table.Th>Checkpoint</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th ta="right">Frees</Table.Th>
            <Table.Th ta="right">Size</Table.Th>
            <Table.Th>Created</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {plan.verdicts.map((verdict) => (
            <Row key={verdict.checkpointId} verdict={verdict} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Row({ verdict }: { verdict: Verdict }) {
  const goes = verdict.keeps.length === 0;
  const shared = goes && verdict.frees === 0n && verdict.bytes > 0n;
  return (
    <Table.Tr>
      <Table.Td>
        <Badge color={goes ? 'red' : 'teal'} variant="light" tt="none">
          {goes ? 'goes' : 'stays'}
        </Badge>
      </Table.Td>
      <Table.Td>
        <Link to={`/checkpoints/${verdict.checkpointId}`} className="plain">
          {subjectWord(verdict.name)} of {verdict.runName}
        </Link>
      </Table.Td>
      <Table.Td>
        {goes && <Text fz="sm">No rule keeps it.{shared ? ' Another checkpoint has the same files.' : ''}</Text>}
        {verdict.keeps.map(({ message }) => (
          <Text key={message} fz="sm">
            {message}
          </Text>
        ))}
      </Table.Td>
      <Table.Td ta="right" className="number">
        {goes ? bytes(verdict.frees) : ''}
      </Table.Td>
      <Table.Td ta="right" className="number">
        {bytes(verdict.bytes)}
      </Table.Td>
      <Table.Td className="number" title={moment(verdict.createdAt)}>
        {ago(verdict.createdAt)}
      </Table.Td>
    </Table.Tr>
  );
}

/** What a deletion changes. */
const deletion = [
  retention.planRetention,
  retention.listRetentionApplications,
  retention.listOrphans,
  checkpoints.listCheckpoints,
  checkpoints.getCheckpoint,
  checkpoints.getLineage,
];

function DeletePlanned({ plan }: { plan: RetentionPlan | undefined }) {
  const apply = useRpcMutation(retention.applyRetention, { invalidates: deletion });
  const going = plan?.going ?? 0;
  const what = `${String(going)} ${going === 1 ? 'checkpoint' : 'checkpoints'}`;
  return (
    <Confirm
      opener={(open) => (
        <Button color="red" size="compact-md" disabled={going === 0} onClick={open}>
          {going === 0 ? 'Nothing to delete' : `Delete ${what}, ${bytes(plan?.frees ?? 0n)}`}
        </Button>
      )}
      title={`Delete ${what}?`}
      leave="Keep them"
      action={`Delete ${what}`}
      busy={apply.isPending}
      error={apply.error}
      onConfirm={(close) => {
        if (plan) apply.mutate({ rules: plan.rules, digest: plan.digest }, { onSuccess: close });
      }}
    >
      Their files are gone for good. Their lineage, scores and runs stay readable. If the rules give another plan by the time you press the
      button, nothing is deleted and you see the new one.
    </Confirm>
  );
}
