import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { datasets } from '../api/clients';
import { objectionTo } from '../api/errors';
import { useRpcMutation } from '../api/hooks';
import type { Dataset } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { useRequestId } from '../request-id';
import { Refusal } from '../ui/feedback';
import { PageHeader } from '../ui/layout';
import { kindWord } from '../words';

const sources = {
  [DatasetKind.DATASET_KIND_IMAGES]: {
    label: 'Folder of images',
    description: "Absolute path on the server's host. Folders in it are read too; other files beside the images do no harm.",
  },
  [DatasetKind.DATASET_KIND_INSTRUCTIONS]: {
    label: 'JSON file',
    description: "Absolute path on the server's host of a LLaVA-format file: rows with conversations and, where there are, id and image.",
  },
  [DatasetKind.DATASET_KIND_PREFERENCES]: {
    label: 'JSON file',
    description:
      "Absolute path on the server's host of a file of preference pairs, as STIC, TRL, LLaMA-Factory, LLaVA or ms-swift have them.",
  },
  [DatasetKind.DATASET_KIND_BENCHMARK]: {
    label: 'Benchmark folder',
    description: "Absolute path on the server's host of a folder with benchmark.json, items.jsonl and the images.",
  },
};

const monospace = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };
type SourceKind = keyof typeof sources;

const kinds: SourceKind[] = [
  DatasetKind.DATASET_KIND_IMAGES,
  DatasetKind.DATASET_KIND_INSTRUCTIONS,
  DatasetKind.DATASET_KIND_PREFERENCES,
  DatasetKind.DATASET_KIND_BENCHMARK,
];
/** Kinds whose source is a file that names its images. */
const namesImages: SourceKind[] = [DatasetKind.DATASET_KIND_INSTRUCTIONS, DatasetKind.DATASET_KIND_PREFERENCES];

export function NewDatasetPage() {
  const navigate = useNavigate();
  const create = useRpcMutation(datasets.createDataset, { invalidates: [datasets.listDatasets] });
  const [kind, setKind] = useState<SourceKind>(DatasetKind.DATASET_KIND_IMAGES);
  const [name, setName] = useState('');
  const [source, setSource] = useState('');
  const [imageRoot, setImageRoot] = useState('');
  const [imageList, setImageList] = useState('');
  const requestId = useRequestId();
  const errorAt = (field: string) => objectionTo(create.error, field);
  const words = sources[kind];

  const submit = (event: { preventDefault: () => void }) => {
    event.preventDefault();
    const request = {
      name: name.trim(),
      kind,
      source: source.trim(),
      imageRoot: namesImages.includes(kind) ? imageRoot.trim() : '',
      imageList: kind === DatasetKind.DATASET_KIND_IMAGES ? imageList.trim() : '',
    };
    const created = { onSuccess: ({ id }: Dataset) => void navigate(`/datasets/${id}`) };
    create.mutate({ ...request, requestId: requestId(request) }, created);
  };

  return (
    <form onSubmit={submit}>
      <PageHeader title="Register a dataset" />
      <Stack gap="sm" maw={720} className="panel" p="md" mt="md">
        <div>
          <Text fz="sm" fw={500} mb={4}>
            Kind
          </Text>
          <SegmentedControl<SourceKind>
            aria-label="Kind"
            value={kind}
            onChange={setKind}
            data={kinds.map((value) => ({ value, label: kindWord(value) }))}
          />
        </div>
        <TextInput
          label="Name"
          required
          value={name}
          error={errorAt('name')}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <TextInput
          {...words}
          required
          styles={monospace}
          placeholder="/data/..."
          value={source}
          error={errorAt('source')}
          onChange={(event) => {
            setSource(event.currentTarget.value);
          }}
        />
        {kind === DatasetKind.DATASET_KIND_IMAGES && (
          <TextInput
            label="Image list"
            description="File with the names of the images to take: a JSON list, or text with one name a line. Empty: all images."
            styles={monospace}
            value={imageList}
            error={errorAt('image_list')}
            onChange={(event) => {
              setImageList(event.currentTarget.value);
            }}
          />
        )}
        {namesImages.includes(kind) && (
          <TextInput
            label="Folder its images are in"
            description="Image paths in the rows are relative to it. Empty: the file's own folder."
            styles={monospace}
            value={imageRoot}
            error={errorAt('image_root')}
            onChange={(event) => {
              setImageRoot(event.currentTarget.value);
            }}
          />
        )}
        {create.error && <Refusal error={create.error} title="The dataset was not registered" />}
        <Group>
          <Button type="submit" loading={create.isPending}>
            Register and import
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
