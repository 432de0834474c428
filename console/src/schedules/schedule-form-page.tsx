import { Alert, Button, Grid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useRef, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError } from '../api/client';
import { usePresets } from '../api/runs';
import { useFirePreview, useSaveSchedule, useSchedule } from '../api/schedules';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Schedule } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { newRequestId } from '../request-id';
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
  const schedule = useSchedule(scheduleId);
  if (schedule.data) return <Loaded schedule={schedule.data} />;
  if (schedule.isError) return <Failure error={schedule.error} what="The schedule" onRetry={() => void schedule.refetch()} />;
  return <Lines rows={10} />;
}

function Loaded({ schedule }: { schedule?: Schedule }) {
  const presets = usePresets();
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
  const save = useSaveSchedule(schedule?.id);
  const sent = useRef({ content: '', id: '' });
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
    const objection = [save.error, fires.error].find((error) => error instanceof ApiError && formField(error.field, draft.run) === path);
    return objection?.message;
  };
  const missing = lacking(draft, preset);
  const submit = () => {
    const spec = draftSpec(draft, preset);
    const content = JSON.stringify(spec);
    // The same form sent twice is one schedule.
    if (sent.current.content !== content) sent.current = { content, id: newRequestId() };
    const request = schedule ? { spec } : { spec, request_id: sent.current.id };
    save.mutate(request, { onSuccess: (saved) => void navigate(`/schedules/${saved.id}`) });
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

function FirePreview({ fires, zone }: { fires: ReturnType<typeof useFirePreview>; zone: string }) {
  if (fires.error) {
    const hint = fires.error instanceof ApiError ? fires.error.hint : '';
    return (
      <Alert color="red" title="This never fires" role="alert">
        <Text fz="sm">{fires.error.message}</Text>
        {hint && <Text fz="sm">{hint}</Text>}
      </Alert>
    );
  }
  return fires.data ? <Fires fires={fires.data.fires} zone={zone} /> : <Lines />;
}
