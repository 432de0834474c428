import { Button, Stack, Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { schedules } from '../api/clients';
import { usePages } from '../api/hooks';
import { ago } from '../format';
import type { Schedule, Tick } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import { PageHeader } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { scheduleLook, tickLook } from '../states';
import { InBothZones } from './in-both-zones';
import { until } from './times';

export function SchedulesPage() {
  const pages = usePages(schedules.listSchedules, { pageSize: 50 }, { pollMs: 3000 });
  const list = pages.data?.pages.flatMap((page) => page.schedules) ?? [];
  return (
    <Stack gap="sm">
      <PageHeader
        title="Schedules"
        detail="Runs that start by themselves. Every time fires once, or is skipped with a reason."
        actions={
          <Button component={Link} to="/schedules/new" variant="default" size="compact-md">
            Make a schedule
          </Button>
        }
      />
      {pages.isError && <Failure error={pages.error} what="The schedules" onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Lines />}
      {pages.isSuccess && list.length === 0 && (
        <Empty title="No schedules yet" to="/schedules/new" action="Make a schedule">
          A schedule starts a recipe at set times, every night for example, on all images of a dataset or on those added since its last
          success. It will appear here with its next fire and its last result.
        </Empty>
      )}
      {list.length > 0 && <ScheduleTable schedules={list} />}
      <LoadMore pages={pages} />
    </Stack>
  );
}

function ScheduleTable({ schedules }: { schedules: Schedule[] }) {
  return (
    <div className="panel" style={{ overflowX: 'auto' }}>
      <Table highlightOnHover aria-label="Schedules">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Schedule</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Next fire</Table.Th>
            <Table.Th>Last result</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {schedules.map((schedule) => (
            <ScheduleRow key={schedule.id} schedule={schedule} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const { spec, latestTick, nextAt } = schedule;
  return (
    <Table.Tr>
      <Table.Td maw={260}>
        <Link to={`/schedules/${schedule.id}`} className="plain">
          <Text fz="sm" fw={600} lineClamp={2} title={spec?.name}>
            {spec?.name}
          </Text>
        </Link>
        <Text fz="xs" c="dimmed" className="mono" truncate>
          {spec?.cron}
        </Text>
      </Table.Td>
      <Table.Td maw={240}>
        <StateBadge look={scheduleLook(schedule)} />
        {schedule.pausedAt && (
          <Text fz="xs" c="dimmed" lineClamp={2} title={schedule.pauseReason}>
            {schedule.pauseReason || `since ${ago(schedule.pausedAt)}`}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {schedule.pausedAt || !nextAt ? (
          <Text fz="sm" c="dimmed">
            {schedule.pausedAt ? 'none while paused' : 'none any more'}
          </Text>
        ) : (
          <InBothZones date={nextAt} zone={spec?.zone ?? 'UTC'} note={until(schedule.nextDueAt ?? nextAt)} />
        )}
      </Table.Td>
      <Table.Td maw={420}>
        {latestTick ? (
          <>
            <StateBadge look={tickLook(latestTick.state)} />{' '}
            <Text span fz="xs" c="dimmed">
              {ago(latestTick.endedAt ?? latestTick.firedAt ?? latestTick.takenAt)}
            </Text>
            <Outcome tick={latestTick} />
          </>
        ) : (
          <Text fz="sm" c="dimmed">
            not fired yet
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** What the last time brought; until it has, what it waits for. */
function Outcome({ tick }: { tick: Tick }) {
  const text = tick.outcome || tick.message;
  if (!text) return null;
  return (
    <Text fz="xs" lineClamp={3} title={text}>
      {tick.runId ? (
        <Link to={`/runs/${tick.runId}`} className="plain">
          {text}
        </Link>
      ) : (
        text
      )}
    </Text>
  );
}
