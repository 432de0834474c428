import { Alert, Stack, Text } from '@mantine/core';
import type { Trainer } from '@stic/api/gen/stic/trainers/v1/trainers.js';
import { trainers } from '../api/clients';
import { useRpc } from '../api/hooks';
import { bytes } from '../format';
import { Empty, Failure, Lines } from '../ui/feedback';
import { Facts, PageHeader, Section } from '../ui/layout';
import { StateBadge } from '../ui/state-badge';
import { trainerLook } from '../states';

export function TrainersPage() {
  const query = useRpc(trainers.listTrainers, {}, { refetchInterval: 5000 });
  return (
    <Stack gap="md">
      <PageHeader
        title="Trainers"
        detail="The processes that own the accelerators. A trainer's jobs go on while it cannot be reached from here."
      />
      {query.isError && <Failure error={query.error} what="The trainers" onRetry={() => void query.refetch()} />}
      {query.isPending && <Lines />}
      {query.data?.trainers.length === 0 && (
        <Empty title="No trainer">
          The server starts one by itself, or takes those named in its TRAINERS variable. Runs wait until there is one.
        </Empty>
      )}
      {query.data?.trainers.map((trainer) => (
        <TrainerCard key={trainer.address} trainer={trainer} />
      ))}
    </Stack>
  );
}

function TrainerCard({ trainer }: { trainer: Trainer }) {
  const { info } = trainer;
  return (
    <Section title={info?.name || trainer.address} note={trainer.address} actions={<StateBadge look={trainerLook(trainer)} />}>
      {trainer.problem && (
        <Alert color="red" mb="xs" role="alert">
          <Text fz="sm">{trainer.problem}</Text>
          {trainer.hint && <Text fz="sm">{trainer.hint}</Text>}
        </Alert>
      )}
      {info && (
        <Facts
          facts={[
            ['Device', info.device],
            ['GPU memory', info.gpuMemoryBytes > 0n ? bytes(info.gpuMemoryBytes) : ''],
            ['Number format', info.dtype],
            [
              'Labels',
              Object.entries(info.labels)
                .map(([key, value]) => `${key}=${value}`)
                .join(' \u00b7 '),
            ],
            [
              'Jobs',
              `${String(info.activeJobIds.length)} of ${String(info.capacity)}${info.activeJobIds.length > 0 ? `: ${info.activeJobIds.join(', ')}` : ''}`,
            ],
            ['Processors', info.cpuCount > 0 ? String(info.cpuCount) : ''],
            ['Memory', info.memoryBytes > 0n ? bytes(info.memoryBytes) : ''],
            ['Trainer', info.version],
            [
              'Versions',
              Object.entries(info.versions)
                .map(([name, version]) => `${name} ${version}`)
                .join(' · '),
            ],
            [
              'Store',
              <span key="store" className="mono">
                {info.storeId}
              </span>,
            ],
          ]}
        />
      )}
    </Section>
  );
}
