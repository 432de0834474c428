import { Button, Table, Text } from '@mantine/core';
import { retention } from '../api/clients';
import { useRpc, useRpcMutation } from '../api/hooks';
import { bytes, moment } from '../format';
import type { ListOrphansResponse } from '@stic/api/gen/stic/retention/v1/retention.js';
import { Failure, Lines } from '../ui/feedback';
import { Section } from '../ui/layout';

const SHOWN = 20;

/** Files of the store that nothing refers to, and the button that removes them. */
export function Orphans() {
  const orphans = useRpc(retention.listOrphans, {});
  const remove = useRpcMutation(retention.removeOrphans, { invalidates: [retention.listOrphans] });
  const total = orphans.data?.total ?? 0;
  return (
    <Section
      title="Files that nothing refers to"
      note="Left by deleted checkpoints, by stages that were broken off and by unfinished writes. Younger ones are left alone: a run may still name them."
      actions={
        <Button
          variant="default"
          size="compact-md"
          disabled={total === 0}
          loading={remove.isPending}
          onClick={() => {
            remove.mutate({});
          }}
        >
          {total === 0 ? 'Nothing to remove' : `Remove ${String(total)}, ${bytes(orphans.data?.bytes ?? 0n)}`}
        </Button>
      }
    >
      {remove.isError && (
        <Text c="red" fz="sm" role="alert">
          {remove.error.message}
        </Text>
      )}
      {orphans.isError && <Failure error={orphans.error} what="The files" onRetry={() => void orphans.refetch()} />}
      {orphans.isPending && <Lines rows={3} />}
      {orphans.data && <Found found={orphans.data} />}
    </Section>
  );
}

function Found({ found }: { found: ListOrphansResponse }) {
  if (found.total === 0) {
    return (
      <Text fz="sm" c="dimmed">
        None older than {moment(found.before)}.
      </Text>
    );
  }
  return (
    <Table aria-label="Files that nothing refers to" fz="xs">
      <Table.Tbody>
        {found.orphans.slice(0, SHOWN).map((orphan) => (
          <Table.Tr key={orphan.path}>
            <Table.Td className="mono" style={{ overflowWrap: 'anywhere' }}>
              {orphan.path}
            </Table.Td>
            <Table.Td ta="right" className="number">
              {bytes(orphan.bytes)}
            </Table.Td>
            <Table.Td className="number">{moment(orphan.modifiedAt)}</Table.Td>
          </Table.Tr>
        ))}
        {found.total > SHOWN && (
          <Table.Tr>
            <Table.Td colSpan={3}>and {found.total - SHOWN} smaller ones</Table.Td>
          </Table.Tr>
        )}
      </Table.Tbody>
    </Table>
  );
}
