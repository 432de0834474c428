import { Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { schedules } from '../api/clients';
import { usePages } from '../api/hooks';
import { duration } from '../format';
import type { Tick } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { Failure, Lines, LoadMore } from '../ui/feedback';
import { StateBadge } from '../ui/state-badge';
import { tickLook } from '../states';
import { originWord } from '../words';
import { dayIn, timeIn } from './times';

/** What became of each time, under its day on the schedule's clocks, the latest first. */
export function Ticks({ scheduleId, zone }: { scheduleId: string; zone: string }) {
  const pages = usePages(schedules.listTicks, { scheduleId, pageSize: 50 }, { pollMs: 3000 });
  const ticks = pages.data?.pages.flatMap((page) => page.ticks) ?? [];
  if (pages.isError) return <Failure error={pages.error} what="The past fires" onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Lines />;
  if (ticks.length === 0) {
    return (
      <Text fz="sm" c="dimmed">
        Nothing yet. Every fire and every skip will stand here with its reason.
      </Text>
    );
  }
  const days = Map.groupBy(ticks, (tick) => (tick.nominalAt ? dayIn(tick.nominalAt, zone) : ''));
  return (
    <>
      <Table aria-label="Past fires and skips" layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={82}>Time</Table.Th>
            <Table.Th w={130}>Result</Table.Th>
            <Table.Th>Reason</Table.Th>
            <Table.Th w={92}>Run</Table.Th>
          </Table.Tr>
        </Table.Thead>
        {[...days].map(([day, ofDay]) => (
          <Table.Tbody key={day}>
            <Table.Tr style={{ background: 'var(--page)' }}>
              <Table.Th colSpan={4} scope="rowgroup" py={3}>
                <Text fz="xs" fw={600} className="number">
                  {day}
                </Text>
              </Table.Th>
            </Table.Tr>
            {ofDay.map((tick) => (
              <TickRow key={tick.id} tick={tick} zone={zone} />
            ))}
          </Table.Tbody>
        ))}
      </Table>
      <LoadMore pages={pages} />
    </>
  );
}

function TickRow({ tick, zone }: { tick: Tick; zone: string }) {
  const { nominalAt, firedAt, endedAt } = tick;
  const origin = originWord(tick.origin);
  const told = tick.outcome || tick.message;
  const took = firedAt && endedAt ? `took ${duration((endedAt.getTime() - firedAt.getTime()) / 1000)}` : '';
  return (
    <Table.Tr>
      <Table.Td className="number" valign="top">
        {nominalAt && timeIn(nominalAt, zone)}
      </Table.Td>
      <Table.Td valign="top">
        <StateBadge look={tickLook(tick.state)} />
      </Table.Td>
      <Table.Td valign="top">
        <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {told || (firedAt ? firedLine(tick, zone) : '')}
        </Text>
        {(origin || took) && (
          <Text fz="xs" c="dimmed">
            {[origin, told && firedAt ? firedLine(tick, zone) : '', took].filter(Boolean).join(' \u00b7 ')}
          </Text>
        )}
      </Table.Td>
      <Table.Td valign="top">
        {tick.runId && (
          <Link to={`/runs/${tick.runId}`}>
            <Text span fz="sm">
              Open run
            </Text>
          </Link>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** Nominal and actual time are two things: says when it really started where that was another minute. */
function firedLine({ nominalAt, firedAt }: Tick, zone: string): string {
  if (!nominalAt || !firedAt) return '';
  const late = (firedAt.getTime() - nominalAt.getTime()) / 1000;
  if (late < 60) return 'Started on time';
  const day = dayIn(firedAt, zone) === dayIn(nominalAt, zone) ? '' : `${dayIn(firedAt, zone)} `;
  return `Started at ${day}${timeIn(new Date(Math.floor(firedAt.getTime() / 1000) * 1000), zone)}, ${duration(late)} later`;
}
