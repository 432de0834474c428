import { Grid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { ApiError, get } from '../../api/client';
import { useCreateRun, usePresets, useRunPreview } from '../../api/runs';
import { count } from '../../format';
import { Run, type Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { newRequestId } from '../../request-id';
import { Failure, Lines } from '../../ui/feedback';
import { Facts, PageHeader, Section } from '../../ui/layout';
import { useDraft } from './address';
import { chosenPreset, draftOfPlace, draftRequest, emptyDraft, formField, hasTrainingData, illFormed, type Draft } from './draft';
import { InputsForm } from './inputs-form';
import { Preview } from './preview';
import { RecipeForm } from './recipe-form';

export function StartPage() {
  const presets = usePresets();
  const [search] = useSearchParams();
  return (
    <Stack gap="sm">
      <PageHeader
        title={search.has('fork') ? 'Fork a run' : 'Start a run'}
        detail="The right side shows what the server would do with this form. Nothing starts before the button."
      />
      {presets.isError && <Failure error={presets.error} what="The presets" onRetry={() => void presets.refetch()} />}
      {presets.isPending && <Lines rows={10} />}
      {presets.data && <Chosen presets={presets.data.presets} />}
    </Stack>
  );
}

/** A fork starts from the other run's recipe, as if that were the only preset. */
function Chosen({ presets }: { presets: Preset[] }) {
  const [search] = useSearchParams();
  const fork = search.get('fork') ?? '';
  const original = useQuery({
    queryKey: ['run', fork],
    queryFn: ({ signal }) => get(Run, `/runs/${fork}`, {}, signal),
    enabled: fork !== '',
  });
  if (!fork) return <StartForm presets={presets} />;
  if (original.isError) return <Failure error={original.error} what="The run to fork" onRetry={() => void original.refetch()} />;
  if (!original.data?.recipe) return <Lines rows={10} />;
  const { name, recipe } = original.data;
  const preset = { name: recipe.preset, description: `The recipe of ${name}.`, recipe, differences: [] };
  return <StartForm presets={[preset]} original={original.data} />;
}

function lacking(draft: Draft, preset: Preset): string {
  return hasTrainingData(draft) || draft.fork ? illFormed(draft, preset) : 'Choose images or preference pairs first.';
}

function StartForm({ presets, original }: { presets: Preset[]; original?: Run }) {
  const navigate = useNavigate();
  const [draft, change] = useDraft(original ? { ...emptyDraft, ...draftOfPlace(original) } : emptyDraft);
  const preset = chosenPreset(draft, presets);
  const missing = preset ? lacking(draft, preset) : 'The server has no presets.';
  const request = preset && !missing ? draftRequest(draft, preset) : undefined;
  const requestText = JSON.stringify(request);
  const [settledText] = useDebouncedValue(requestText, 350);
  const preview = useRunPreview(settledText ? (JSON.parse(settledText) as object) : undefined);
  const create = useCreateRun();
  const requestId = useRequestId();

  if (!preset) return null;
  const objection = create.error ?? preview.error;
  const errorAt = (path: string): string | undefined =>
    objection instanceof ApiError && formField(objection.field, draft) === path ? objection.message : undefined;

  const start = () => {
    if (!request) return;
    create.mutate({ ...request, request_id: requestId(requestText) }, { onSuccess: (run) => void navigate(`/runs/${run.id}`) });
  };
  const edit = (part: Partial<Draft>) => {
    create.reset();
    change(part);
  };

  return (
    <Grid gap="md">
      <Grid.Col span={7}>
        <Stack gap="md">
          <Section title="Data">
            <Stack gap="sm">
              {original ? <InputsOf run={original} /> : <InputsForm draft={draft} errorAt={errorAt} onChange={edit} />}
            </Stack>
          </Section>
          <RecipeForm presets={presets} preset={preset} draft={draft} errorAt={errorAt} onChange={edit}>
            <TextInput
              label="Name"
              placeholder={original ? `fork of ${original.name}` : `${preset.name} run`}
              value={draft.name}
              error={errorAt('name')}
              onChange={(event) => {
                edit({ name: event.currentTarget.value });
              }}
            />
          </RecipeForm>
        </Stack>
      </Grid.Col>
      <Grid.Col span={5}>
        <Preview
          run={preview.data}
          error={objection}
          missing={missing}
          checking={!missing && (preview.isFetching || settledText !== requestText)}
          starting={create.isPending}
          request={request}
          onStart={start}
        />
      </Grid.Col>
    </Grid>
  );
}

/** A fork takes the same dataset versions: it differs in what is changed here and in nothing else. */
function InputsOf({ run }: { run: Run }) {
  return (
    <>
      <Text fz="sm">
        As in <Link to={`/runs/${run.id}`}>{run.name}</Link>, in the same versions.
      </Text>
      <Facts facts={run.inputs.map((input) => [input.role, `${input.datasetName} (${count(input.items)})`] as const)} />
    </>
  );
}

/** The same id for the same content, so that pressing twice or a retry after a lost answer makes one run. */
function useRequestId(): (content: string) => string {
  const last = useRef({ content: '', id: '' });
  return (content) => {
    if (last.current.content !== content) last.current = { content, id: newRequestId() };
    return last.current.id;
  };
}
