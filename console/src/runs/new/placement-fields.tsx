import { SimpleGrid, Stack, TagsInput, TextInput } from '@mantine/core';
import { trainers } from '../../api/clients';
import { useRpc } from '../../api/hooks';
import { isNumber, notLabel, type DraftFieldsProps } from './draft';

/** When a run has its turn, and which trainers may have it. */
export function PlacementFields({ draft, errorAt, onChange }: DraftFieldsProps) {
  const { data } = useRpc(trainers.listTrainers, {}, { refetchInterval: 5000 });
  const offered = (data?.trainers ?? []).flatMap(({ info }) => Object.entries(info?.labels ?? {}).map(([key, value]) => `${key}=${value}`));
  const number = (field: 'priority' | 'gpuMemory', path: string, label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      inputMode="decimal"
      value={draft[field]}
      error={errorAt(path) ?? (isNumber(draft[field]) ? undefined : 'Not a number')}
      onChange={(event) => {
        onChange({ [field]: event.currentTarget.value });
      }}
    />
  );
  return (
    <Stack gap="sm">
      <SimpleGrid cols={2} spacing="sm">
        {number('priority', 'priority', 'Priority', 'Higher goes first, then older; -1000 to 1000')}
        {number('gpuMemory', 'requires.gpu_memory_gib', 'GPU memory', "GiB that a trainer's GPU must have; 0 takes any")}
      </SimpleGrid>
      <TagsInput
        label="Labels"
        description="A trainer must carry all of them, each written key=value; without any, every trainer will do"
        placeholder={draft.labels.length > 0 ? undefined : 'tag=a100'}
        clearable
        data={[...new Set(offered)]}
        value={draft.labels}
        error={errorAt('requires.labels') ?? (draft.labels.some(notLabel) ? 'A label is written key=value' : undefined)}
        onChange={(labels) => {
          onChange({ labels });
        }}
      />
    </Stack>
  );
}
