import { Table, Text } from '@mantine/core';
import type { FireTime } from '../gen/stic/schedules/v1/schedules';
import { dayIn, ownMoment, ownZone, timeIn } from './times';

/** Coming fires, a line each, on the schedule's clocks and on the reader's. What the clocks' change does stands under its night. */
export function Fires({ fires, zone }: { fires: FireTime[]; zone: string }) {
  const elsewhere = zone !== ownZone;
  return (
    <Table aria-label="Next fires" fz="sm" verticalSpacing={3}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Day</Table.Th>
          <Table.Th>{zone}</Table.Th>
          {elsewhere && <Table.Th>{ownZone}, here</Table.Th>}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {fires.map((fire) => (
          <FireRow key={fire.nominalAt?.toISOString()} fire={fire} zone={zone} elsewhere={elsewhere} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function FireRow({ fire, zone, elsewhere }: { fire: FireTime; zone: string; elsewhere: boolean }) {
  const { nominalAt, dueAt, note } = fire;
  if (!nominalAt) return null;
  const day = dayIn(nominalAt, zone);
  const delayed = dueAt && dueAt.getTime() > nominalAt.getTime();
  return (
    <Table.Tr>
      <Table.Td className="number" valign="top">
        {day}
      </Table.Td>
      <Table.Td valign="top">
        <span className="number">{timeIn(nominalAt, zone)}</span>
        {delayed && (
          <Text fz="xs" c="dimmed" className="number">
            starts at {timeIn(dueAt, zone)}
          </Text>
        )}
        {note && (
          <Text fz="xs" c="orange">
            {note}
          </Text>
        )}
      </Table.Td>
      {elsewhere && (
        <Table.Td className="number" valign="top">
          {ownMoment(nominalAt, day)}
        </Table.Td>
      )}
    </Table.Tr>
  );
}
