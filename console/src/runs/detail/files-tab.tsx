import { Anchor, Button, Group, Stack, Table, Text } from '@mantine/core';
import { Link } from 'react-router';
import { adapterUrl, blobUrl, pairsExportUrl } from '../../api/blobs';
import { checkpoints } from '../../api/clients';
import { usePages } from '../../api/hooks';
import { bytes, count } from '../../format';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';
import { CopyIcon } from '../../ui/copy';
import { Digest } from '../../ui/digest';
import { Empty, Failure } from '../../ui/feedback';
import { Section } from '../../ui/layout';
import { stageWord, subjectWord } from '../../words';
import { useRunContext } from './context';

const exportFormats = [
  { format: 'trl', label: 'TRL' },
  { format: 'llamafactory', label: 'LLaMA-Factory' },
  { format: 'llava', label: 'LLaVA' },
] as const;

export function FilesTab() {
  const { run, live } = useRunContext();
  const artifacts = run.stages.flatMap((stage) => stage.artifacts.map((artifact) => ({ stage, artifact })));
  if (artifacts.length === 0) {
    return (
      <Empty title={live ? 'No files yet' : 'This run made no files'}>
        Every stage leaves its results here: pairs, adapters, descriptions, infused rows, scores.
      </Empty>
    );
  }
  return (
    <Stack gap="md">
      <Adapters run={run} live={live} />
      {(artifacts.some(({ artifact }) => artifact.name === 'pairs') || run.inputs.some(({ role }) => role === 'preferences')) && (
        <PairExports run={run} />
      )}
      <Section title="Artifacts" note="Content-addressed: the digest is the sha256 of what is in it.">
        <Table aria-label="Artifacts">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Stage</Table.Th>
              <Table.Th>Artifact</Table.Th>
              <Table.Th ta="right">Rows</Table.Th>
              <Table.Th ta="right">Size</Table.Th>
              <Table.Th>Digest</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {artifacts.map(({ stage, artifact }) => (
              <Table.Tr key={`${stage.id}/${artifact.name}/${artifact.sha256}`}>
                <Table.Td>{stageWord(stage.kind)}</Table.Td>
                <Table.Td>{artifact.name}</Table.Td>
                <Table.Td ta="right" className="number">
                  {artifact.items > 0 ? count(artifact.items) : ''}
                </Table.Td>
                <Table.Td ta="right" className="number">
                  {bytes(artifact.bytes)}
                </Table.Td>
                <Table.Td>
                  <Digest value={artifact.sha256} />
                </Table.Td>
                <Table.Td>
                  {artifact.kind === ArtifactKind.ARTIFACT_KIND_BLOB && (
                    <Anchor
                      fz="sm"
                      href={blobUrl(artifact.sha256)}
                      download={`${artifact.name}.${artifact.mediaType.includes('lines') || artifact.items > 0 ? 'jsonl' : 'json'}`}
                    >
                      Download
                    </Anchor>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Section>
    </Stack>
  );
}

function Adapters({ run, live }: { run: Run; live: boolean }) {
  const pages = usePages(checkpoints.listCheckpoints, { runId: run.id, pageSize: 50 }, { version: live, pollMs: live && 5000 });
  const adapters = pages.data?.pages.flatMap((page) => page.checkpoints) ?? [];
  if (pages.isError) return <Failure error={pages.error} what="The checkpoints" onRetry={() => void pages.refetch()} />;
  if (adapters.length === 0) return null;
  return (
    <Section title="Adapters" note="PEFT folders on the server's host; any PEFT program loads them.">
      <Stack gap="xs">
        {adapters.map((checkpoint) => (
          <Group key={checkpoint.id} gap="sm" wrap="nowrap">
            <Text fz="sm" fw={600} w={70}>
              <Link to={`/checkpoints/${checkpoint.id}`}>{subjectWord(checkpoint.name)}</Link>
            </Text>
            <Text fz="sm" className="mono" style={{ overflowWrap: 'anywhere' }}>
              {checkpoint.path}
            </Text>
            <CopyIcon value={checkpoint.path} label="Copy the path" />
            <Text fz="sm" c="dimmed" className="number">
              {bytes(checkpoint.bytes)}
            </Text>
            <Button component="a" href={adapterUrl(checkpoint.id)} size="compact-xs" variant="default">
              Download
            </Button>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function PairExports({ run }: { run: Run }) {
  return (
    <Section title="Pairs for other trainers" note="A tar of the pairs in that trainer's format and of their images.">
      <Group gap="xs">
        {exportFormats.map(({ format, label }) => (
          <Button key={format} component="a" href={pairsExportUrl(run.id, format)} download size="compact-sm" variant="default">
            {label}
          </Button>
        ))}
      </Group>
    </Section>
  );
}
