import { Alert, Button, Grid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { runs, schedules } from '../api/clients';
import { hintOf, objectionTo } from '../api/errors';
import { useRpc, useRpcMutation } from '../api/hooks';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Schedule } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { useRequestId } from '../request-id';
import { chosenPreset, formField } from '../runs/new/draft';
import { InputsForm } from '../runs/new/inputs-form';
import { RecipeForm } from '../runs/new/recipe-form';
import { Failure, Lines, Refusal } from '../ui/feedback';
import { PageHeader, Section } from '../ui/layout';
import { draftOf, draftSpec, keptRecipe, lacking, newDraft, type ScheduleDraft } from './draft';
import { Fires } from './fires';
import { NewImagesFields } from './new-images-fields';
import { RuleFields } from './rule-fields';
import { WhenFields } from './when-fields';

/** Makes a schedule, or with an id in the address changes that one. */
export function ScheduleFormPage() {
  const { scheduleId } = useParams();
  return scheduleId === undefined ? <Loaded /> : <Edit scheduleId={scheduleId} />;
}

function Edit({ scheduleId }: { scheduleId: string }) {
  const schedule = useRpc(schedules.getSchedule, { scheduleId }, { refetchInterval: 3000 });
  if (schedule.data) return <Loaded schedule={schedule.data} />;
  if (schedule.isError) return <Failure error={schedule.error} what="The schedule" onRetry={() => void schedule.refetch()} />;
  return <Lines rows={10} />;
}

function Loaded({ schedule }: { schedule?: Schedule }) {
  const presets = useRpc(runs.listPresets, {}, { staleTime: 60_000 });
  return (
    <Stack gap="sm">
      <PageHeader
        title={schedule ? `Edit ${schedule.spec?.name ?? 'the schedule'}` : 'Make a schedule'}
        detail="The right side shows when this form would fire. Nothing is stored before the button."
      />
      {presets.isError && <Failure error={presets.error} what="The presets" onRetry={() => void presets.refetch()} />}
      {presets.isPending && <Lines rows={10} />}
      {presets.data && <ScheduleForm presets={[...kept(schedule), ...presets.data.presets]} schedule={schedule} />}
    </Stack>
  );
}

/** The stored recipe, to be chosen like a preset. */
function kept(schedule: Schedule | undefined): Preset[] {
  const recipe = schedule?.spec?.recipe;
  return recipe ? [{ name: keptRecipe, description: 'The recipe this schedule has now', recipe, differences: [] }] : [];
}

function ScheduleForm({ presets, schedule }: { presets: Preset[]; schedule?: Schedule }) {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const [draft, setDraft] = useState(() => (schedule?.spec ? draftOf(schedule.spec) : newDraft(search)));
  const [cron] = useDebouncedValue(draft.cron, 300);
  const fires = useFirePreview(cron, draft.zone);
  const create = useRpcMutation(schedules.createSchedule, { invalidates: [schedules.listSchedules] });
  const update = useRpcMutation(schedules.updateSchedule, { invalidates: [schedules.getSchedule, schedules.listSchedules] });
  const save = schedule ? update : create;
  const requestId = useRequestId();
  const { run } = draft;
  const preset = chosenPreset(run, presets);
  if (!preset) return null;

  const edit = (part: Partial<ScheduleDraft>) => {
    save.reset();
    setDraft((before) => ({ ...before, ...part }));
  };
  const editRun = (part: Partial<ScheduleDraft['run']>) => {
    edit({ run: { ...run, ...part } });
  };
  const errorAt = (path: string): string | undefined => {
    const nameOf = (field: string): string => formField(field, draft.run);
    return objectionTo(save.error, path, nameOf) ?? objectionTo(fires.error, path, nameOf);
  };
  const missing = lacking(draft, preset);
  const submit = () => {
    const spec = draftSpec(draft, preset);
    const saved = { onSuccess: ({ id }: Schedule) => void navigate(`/schedules/${id}`) };
    if (schedule) update.mutate({ scheduleId: schedule.id, spec }, saved);
    else create.mutate({ spec, requestId: requestId(spec) }, saved);
  };

  return (
    <Grid gap="md">
      <Grid.Col span={7}>
        <Stack gap="md">
          <Section title="When">
            <Stack gap="sm">
              <TextInput
                label="Name"
                required
                value={run.name}
                error={errorAt('name')}
                onChange={(event) => {
                  editRun({ name: event.currentTarget.value });
                }}
              />
              <WhenFields draft={draft} errorAt={errorAt} onChange={edit} />
            </Stack>
          </Section>
          <Section title="Data">
            <Stack gap="sm">
              <InputsForm draft={run} errorAt={errorAt} onChange={editRun} />
              <NewImagesFields draft={draft} errorAt={errorAt} onChange={edit} />
            </Stack>
          </Section>
          <Section title="Rules">
            <RuleFields draft={draft} errorAt={errorAt} onChange={edit} />
          </Section>
          <RecipeForm
            presets={presets}
            preset={preset}
            note="Frozen with the schedule: a preset that changes later changes nothing here."
            draft={run}
            errorAt={errorAt}
            onChange={editRun}
          />
        </Stack>
      </Grid.Col>
      <Grid.Col span={5}>
        <Stack gap="md" pos="sticky" top={64}>
          <Section title="When it would fire" note="The next 20 times; jitter comes on top">
            <Stack gap="sm">
              {save.error && <Refusal error={save.error} title="The schedule was not stored" />}
              {missing && (
                <Text fz="sm" c="dimmed">
                  {missing}
                </Text>
              )}
              <Button onClick={submit} disabled={missing !== '' || fires.isError} loading={save.isPending}>
                {schedule ? 'Save the schedule' : 'Make the schedule'}
              </Button>
              <FirePreview fires={fires} zone={draft.zone} />
            </Stack>
          </Section>
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

/** When an expression would fire, or the server's objection. Nothing is stored. */
const useFirePreview = (cron: string, zone: string) =>
  useRpc(
    schedules.previewSchedule,
    { cron, zone },
    { enabled: cron.trim() !== '' && zone !== '', retry: false, placeholderData: (previous) => previous, refetchInterval: 30_000 },
  );

function FirePreview({ fires, zone }: { fires: ReturnType<typeof useFirePreview>; zone: string }) {
  if (fires.error) {
    const hint = hintOf(fires.error);
    return (
      <Alert color="red" title="This never fires" role="alert">
        <Text fz="sm">{fires.error.message}</Text>
        {hint && <Text fz="sm">{hint}</Text>}
      </Alert>
    );
  }
  return fires.data ? <Fires fires={fires.data.fires} zone={zone} /> : <Lines />;
}
