import { Table, Text } from '@mantine/core';
import type { FireTime } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { duration } from '../format';
import { dayIn, hasSeconds, ownMoment, ownZone, timeIn } from './times';

/** Coming fires, a line each, on the schedule's clocks and on the reader's. What the clocks' change does stands under its night. */
export function Fires({ fires, zone }: { fires: FireTime[]; zone: string }) {
  const elsewhere = zone !== ownZone;
  const seconds = fires.some(({ nominalAt }) => nominalAt && hasSeconds(nominalAt));
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
          <FireRow key={fire.nominalAt?.toISOString()} fire={fire} zone={zone} elsewhere={elsewhere} seconds={seconds} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface FireRowProps {
  fire: FireTime;
  zone: string;
  /** The reader's clock shows another time. */
  elsewhere: boolean;
  seconds: boolean;
}

function FireRow({ fire, zone, elsewhere, seconds }: FireRowProps) {
  const { nominalAt, dueAt, note } = fire;
  if (!nominalAt) return null;
  const day = dayIn(nominalAt, zone);
  const delay = dueAt ? (dueAt.getTime() - nominalAt.getTime()) / 1000 : 0;
  return (
    <Table.Tr>
      <Table.Td className="number" valign="top">
        {day}
      </Table.Td>
      <Table.Td valign="top">
        <span className="number">
          {timeIn(nominalAt, zone, seconds)}
          {delay >= 1 && (
            <Text span fz="xs" c="dimmed">
              {' '}
              + {duration(delay)}
            </Text>
          )}
        </span>
        {note && (
          <Text fz="xs" c="orange">
            {note}
          </Text>
        )}
      </Table.Td>
      {elsewhere && (
        <Table.Td className="number" valign="top">
          {ownMoment(nominalAt, day, seconds)}
        </Table.Td>
      )}
    </Table.Tr>
  );
}
