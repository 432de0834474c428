import { Text } from '@mantine/core';
import { dayIn, ownMoment, ownZone, timeIn } from './times';

/** A moment on the schedule's clocks and, where they differ, on the reader's; how far off it is stands below. */
export function InBothZones({ date, zone, note }: { date: Date; zone: string; note: string }) {
  const own = zone === ownZone ? '' : `${ownMoment(date, dayIn(date, zone))} here`;
  return (
    <>
      <Text fz="sm" className="number">
        {dayIn(date, zone)} {timeIn(date, zone)}
        <Text span c="dimmed" fz="xs">
          {' '}
          {zone}
        </Text>
      </Text>
      <Text fz="xs" c="dimmed" className="number">
        {[own, note].filter(Boolean).join(' \u00b7 ')}
      </Text>
    </>
  );
}
