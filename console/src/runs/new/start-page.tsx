import { Grid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { runs } from '../../api/clients';
import { objectionTo } from '../../api/errors';
import { useRpc, useRpcMutation } from '../../api/hooks';
import { count } from '../../format';
import type { Preset, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { useRequestId } from '../../request-id';
import { Failure, Lines } from '../../ui/feedback';
import { Facts, PageHeader, Section } from '../../ui/layout';
import { useDraft } from './address';
import {
  chosenPreset,
  draftOfPlace,
  draftRequest,
  emptyDraft,
  formField,
  hasTrainingData,
  illFormed,
  type Draft,
  type RunRequest,
} from './draft';
import { InputsForm } from './inputs-form';
import { Preview } from './preview';
import { RecipeForm } from './recipe-form';

export function StartPage() {
  const presets = useRpc(runs.listPresets, {}, { staleTime: 60_000 });
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
  const original = useRpc(runs.getRun, { runId: fork }, { enabled: fork !== '' });
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

function requestOf(draft: Draft, presets: Preset[]): RunRequest | undefined {
  const preset = chosenPreset(draft, presets);
  return preset && !lacking(draft, preset) ? draftRequest(draft, preset) : undefined;
}

function StartForm({ presets, original }: { presets: Preset[]; original?: Run }) {
  const navigate = useNavigate();
  const [draft, change] = useDraft(original ? { ...emptyDraft, ...draftOfPlace(original) } : emptyDraft);
  const [settled] = useDebouncedValue(draft, 350);
  const request = requestOf(draft, presets);
  const preview = useRunPreview(requestOf(settled, presets));
  const create = useRpcMutation(runs.createRun, { invalidates: [runs.listRuns] });
  const requestId = useRequestId();

  const preset = chosenPreset(draft, presets);
  if (!preset) return null;
  const missing = lacking(draft, preset);
  const objection = create.error ?? preview.error;
  const errorAt = (path: string) => objectionTo(objection, path, (field) => formField(field, draft));

  const start = () => {
    if (!request) return;
    create.mutate({ ...request, requestId: requestId(request) }, { onSuccess: (run) => void navigate(`/runs/${run.id}`) });
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
          checking={!missing && (preview.isFetching || settled !== draft)}
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

/** The run that a request would make, or the server's objection. Nothing is stored. */
const useRunPreview = (request: RunRequest | undefined) =>
  useRpc(
    runs.createRun,
    { ...request, validateOnly: true },
    { enabled: request !== undefined, retry: false, placeholderData: (previous) => previous, gcTime: 10_000 },
  );
