import { Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { retention } from '../api/clients';
import { usePages } from '../api/hooks';
import { bytes, counted, moment } from '../format';
import type { DeletedCheckpoint, RetentionApplication } from '@stic/api/gen/stic/retention/v1/retention.js';
import { Failure, Lines, LoadMore } from '../ui/feedback';
import { Section } from '../ui/layout';

const NAMED = 5;

/** What has been deleted by these rules, by hand or by night, the latest first. */
export function Applications() {
  const pages = usePages(retention.listRetentionApplications, { pageSize: 20 }, { pollMs: 30_000 });
  const applications = pages.data?.pages.flatMap((page) => page.applications) ?? [];
  return (
    <Section title="What has been deleted" note="Each time rules were applied, by hand or by night.">
      {pages.isError && <Failure error={pages.error} what="What has been deleted" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines rows={3} />}
      {pages.isSuccess && applications.length === 0 && (
        <Text fz="sm" c="dimmed">
          Nothing yet.
        </Text>
      )}
      {applications.length > 0 && (
        <Table aria-label="What has been deleted" fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>When</Table.Th>
              <Table.Th>By</Table.Th>
              <Table.Th>Deleted</Table.Th>
              <Table.Th ta="right">Freed</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {applications.map((application) => (
              <Row key={application.id} application={application} />
            ))}
          </Table.Tbody>
        </Table>
      )}
      <LoadMore pages={pages} />
    </Section>
  );
}

function Row({ application }: { application: RetentionApplication }) {
  const { at, actor, deleted, deliveries, ticks, freed } = application;
  const forgotten = [
    deliveries > 0 ? counted(deliveries, 'webhook delivery', 'webhook deliveries') : '',
    ticks > 0 ? counted(ticks, 'skipped tick') : '',
  ].filter(Boolean);
  return (
    <Table.Tr>
      <Table.Td className="number" valign="top">
        {moment(at)}
      </Table.Td>
      <Table.Td valign="top">{actor}</Table.Td>
      <Table.Td valign="top">
        {deleted.length === 0 && forgotten.length === 0 && <Text fz="sm">nothing</Text>}
        <Names deleted={deleted} />
        {forgotten.length > 0 && <Text fz="sm">{forgotten.join(', ')}</Text>}
      </Table.Td>
      <Table.Td ta="right" className="number" valign="top">
        {bytes(freed)}
      </Table.Td>
    </Table.Tr>
  );
}

function Names({ deleted }: { deleted: DeletedCheckpoint[] }) {
  const more = deleted.length - NAMED;
  return (
    <>
      {deleted.slice(0, NAMED).map(({ checkpointId, name }) => (
        <Text key={checkpointId} fz="sm">
          <Link to={`/checkpoints/${checkpointId}`} className="plain">
            {name}
          </Link>
        </Text>
      ))}
      {more > 0 && <Text fz="sm">and {counted(more, 'other')}</Text>}
    </>
  );
}
