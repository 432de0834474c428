import { Alert, Button, Grid, Group, Stack, Text } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { schedules } from '../api/clients';
import { isMissing } from '../api/errors';
import { useRpc, useRpcMutation } from '../api/hooks';
import { useDatasets } from '../datasets/datasets';
import { gateRule } from '../registry/gate-rule';
import { ago, counted, duration } from '../format';
import type { PreviewScheduleResponse, Schedule, ScheduleInput } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { newRequestId } from '../request-id';
import { Digest } from '../ui/digest';
import { Empty, Failure, Lines } from '../ui/feedback';
import { Facts, PageHeader, Section } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { scheduleLook } from '../states';
import { catchUpWord, overlapWord, requirementWords, startWord } from '../words';
import { Backfill } from './backfill';
import { DeleteSchedule } from './delete-schedule';
import { Fires } from './fires';
import { Ticks } from './ticks';
import { until } from './times';

export function SchedulePage() {
  const { scheduleId = '' } = useParams();
  const query = useRpc(schedules.getSchedule, { scheduleId }, { refetchInterval: 3000 });
  if (query.isPending) return <Lines />;
  if (!query.data) {
    if (isMissing(query.error)) {
      return (
        <Empty title="There is no such schedule" to="/schedules" action="Go to the schedules">
          {query.error.message}
        </Empty>
      );
    }
    return <Failure error={query.error} what="The schedule" onRetry={() => void query.refetch()} />;
  }
  return <ScheduleView schedule={query.data} />;
}

function ScheduleView({ schedule }: { schedule: Schedule }) {
  const zone = schedule.spec?.zone ?? 'UTC';
  return (
    <Stack gap="md">
      <Header schedule={schedule} />
      {schedule.pausedAt && (
        <Alert color="orange" title={`Paused ${ago(schedule.pausedAt)}`} role="status">
          <Text fz="sm">{schedule.pauseReason || 'By hand.'}</Text>
          <Text fz="sm">Times that pass are noted as skipped. Resume it to fire from the next time on.</Text>
        </Alert>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Section
            title="Past fires and skips"
            note={`On the clocks of ${zone}, the latest first`}
            actions={<Backfill schedule={schedule} />}
          >
            <Ticks scheduleId={schedule.id} zone={zone} />
          </Section>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="md">
            <Section title="Next fires" note={schedule.pausedAt ? 'Would fire, were it not paused' : undefined}>
              <NextFires schedule={schedule} zone={zone} />
            </Section>
            <Section title="Settings">
              <Settings schedule={schedule} />
            </Section>
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Header({ schedule }: { schedule: Schedule }) {
  const { id, spec, nextAt, nextDueAt, pausedAt } = schedule;
  const changed = { invalidates: [schedules.getSchedule, schedules.listSchedules] };
  const pause = useRpcMutation(schedules.pauseSchedule, changed);
  const resume = useRpcMutation(schedules.resumeSchedule, changed);
  const trigger = useRpcMutation(schedules.triggerSchedule, { invalidates: [schedules.listTicks] });
  const failure = pause.error ?? resume.error ?? trigger.error;
  const due = nextDueAt ?? nextAt;
  const next = due && !pausedAt ? ` \u00b7 fires ${until(due)}` : '';
  return (
    <>
      <PageHeader
        title={spec?.name}
        detail={
          <>
            <span className="mono">{spec?.cron}</span> in {spec?.zone}
            {next}
          </>
        }
        actions={
          <>
            <StateBadge look={scheduleLook(schedule)} size="lg" />
            <Button
              variant="default"
              size="compact-md"
              loading={trigger.isPending}
              onClick={() => {
                trigger.mutate({ scheduleId: id, requestId: newRequestId() });
              }}
            >
              Trigger now
            </Button>
            <Button
              variant="default"
              size="compact-md"
              loading={pause.isPending || resume.isPending}
              onClick={() => {
                (pausedAt ? resume : pause).mutate({ scheduleId: id });
              }}
            >
              {pausedAt ? 'Resume' : 'Pause'}
            </Button>
            <Button component={Link} to={`/schedules/${id}/edit`} variant="default" size="compact-md">
              Edit
            </Button>
            <DeleteSchedule schedule={schedule} />
          </>
        }
      />
      {failure && (
        <Alert color="red" title="That did not work" role="alert">
          {failure.message}
        </Alert>
      )}
    </>
  );
}

/** The next fires are asked for anew when the next one or the settings change. */
const previewOptions = ({ nextAt, updatedAt }: Schedule) => ({
  version: [nextAt, updatedAt],
  placeholderData: (previous: PreviewScheduleResponse | undefined) => previous,
});

function NextFires({ schedule, zone }: { schedule: Schedule; zone: string }) {
  const fires = useRpc(schedules.previewSchedule, { scheduleId: schedule.id }, previewOptions(schedule));
  if (fires.isError) return <Failure error={fires.error} what="The next fires" onRetry={() => void fires.refetch()} />;
  if (!fires.data) return <Lines />;
  return (
    <div style={{ maxHeight: 330, overflowY: 'auto' }} tabIndex={0} role="group" aria-label="The next 20 times">
      <Fires fires={fires.data.fires} zone={zone} />
    </div>
  );
}

function Settings({ schedule }: { schedule: Schedule }) {
  const { spec } = schedule;
  if (!spec) return null;
  const catchesUp = catchUpWord(spec.catchUp);
  return (
    <Facts
      facts={[
        ['Recipe', <Recipe key="recipe" schedule={schedule} />],
        ...spec.inputs.map((input): [string, React.ReactNode] => [input.role, <Input key={input.datasetId} input={input} />]),
        ['Starts from', startWord(spec.recipe)],
        ['Promotion', spec.recipe?.gate && gateRule(spec.recipe.gate)],
        ['Priority', spec.priority === 0 ? '' : String(spec.priority)],
        ['Needs', requirementWords(spec.requires).join(', ')],
        ['Overlap', overlapWord(spec.overlap)],
        ['Missed times', `${catchesUp}${catchesUp === 'skipped' ? '' : `, within ${duration(spec.catchUpWindowSeconds)}`}`],
        ['Jitter', spec.jitterSeconds > 0 ? `up to ${duration(spec.jitterSeconds)}` : ''],
        ['Deadline', spec.deadlineSeconds > 0 ? `${duration(spec.deadlineSeconds)} after the fire` : ''],
        ['Pauses after', spec.pauseAfterFailures > 0 ? counted(spec.pauseAfterFailures, 'failure in a row', 'failures in a row') : ''],
        ['Failures now', schedule.failures > 0 ? String(schedule.failures) : ''],
      ]}
    />
  );
}

function Recipe({ schedule }: { schedule: Schedule }) {
  const recipe = schedule.spec?.recipe;
  return (
    <Group gap={6}>
      <span>
        preset {recipe?.preset}, <span className="mono">{recipe?.model?.path}</span>
      </span>
      <Digest value={schedule.recipeDigest} length={8} />
    </Group>
  );
}

function Input({ input }: { input: ScheduleInput }) {
  const datasets = useDatasets();
  const known = datasets.data?.pages.flatMap((page) => page.datasets).find(({ id }) => id === input.datasetId);
  const how = [
    input.onlyNew ? `those added since the last success, at least ${String(input.minimumItems)}` : '',
    input.refresh ? 'imported again before each fire' : '',
  ].filter(Boolean);
  return (
    <>
      <Link to={`/datasets/${input.datasetId}`}>{known?.name ?? 'dataset'}</Link>
      {how.length > 0 && `: ${how.join('; ')}`}
    </>
  );
}
