import { Alert, MultiSelect, Select } from '@mantine/core';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { useDatasets } from '../../datasets/datasets';
import { count } from '../../format';
import { VersionState, type Dataset } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Failure } from '../../ui/feedback';
import type { DraftFieldsProps } from './draft';

/** Which data the run uses. Only datasets that are ready can be chosen. */
export function InputsForm({ draft, errorAt, onChange }: DraftFieldsProps) {
  const datasets = useDatasets();
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = datasets;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (datasets.isError) return <Failure error={datasets.error} what="The datasets" onRetry={() => void datasets.refetch()} />;
  const ready = (datasets.data?.pages ?? [])
    .flatMap((page) => page.datasets)
    .filter((dataset) => dataset.latest?.state === VersionState.VERSION_STATE_READY);
  const images = choices(ready, DatasetKind.DATASET_KIND_IMAGES);
  const preferences = choices(ready, DatasetKind.DATASET_KIND_PREFERENCES);
  const instructions = choices(ready, DatasetKind.DATASET_KIND_INSTRUCTIONS);
  const benchmarks = choices(ready, DatasetKind.DATASET_KIND_BENCHMARK);

  return (
    <>
      {datasets.isSuccess && images.length === 0 && preferences.length === 0 && (
        <Alert color="blue" title="Nothing to train on yet">
          <Link to="/datasets/new">Register a folder of images</Link> first. It can be chosen here when its import is ready.
        </Alert>
      )}
      <Select
        label="Images"
        description={
          draft.preferences ? 'Only for sample descriptions: the pairs are given' : 'Unlabeled images the preference pairs are made from'
        }
        placeholder={datasets.isPending ? 'Loading…' : 'Choose a dataset'}
        required={!draft.preferences}
        clearable={draft.preferences !== ''}
        searchable
        data={images}
        value={draft.images || null}
        error={errorAt('images')}
        onChange={(value) => {
          onChange({ images: value ?? '' });
        }}
      />
      {preferences.length > 0 && (
        <Select
          label="Preference pairs"
          description="Pairs of your own in place of those made from images: the run begins with their training"
          placeholder="None"
          clearable
          searchable
          data={preferences}
          value={draft.preferences || null}
          error={errorAt('preferences')}
          onChange={(value) => {
            onChange({ preferences: value ?? '' });
          }}
        />
      )}
      <Select
        label="Instructions"
        description="LLaVA-format rows for the second stage; without them the run ends after stage 1"
        placeholder="None"
        clearable
        searchable
        data={instructions}
        value={draft.instructions || null}
        error={errorAt('instructions')}
        onChange={(value) => {
          onChange({ instructions: value ?? '' });
        }}
      />
      <MultiSelect
        label="Benchmarks"
        description="Base and trained model are compared on these; without one there is nothing to compare in numbers"
        placeholder={draft.benchmarks.length > 0 ? undefined : 'None'}
        clearable
        searchable
        data={benchmarks}
        value={draft.benchmarks}
        error={errorAt('benchmark')}
        onChange={(value) => {
          onChange({ benchmarks: value });
        }}
      />
    </>
  );
}

function choices(datasets: Dataset[], kind: DatasetKind) {
  return datasets
    .filter((dataset) => dataset.kind === kind)
    .map((dataset) => ({ value: dataset.id, label: `${dataset.name} (${count(dataset.latest?.items ?? 0)})` }));
}
