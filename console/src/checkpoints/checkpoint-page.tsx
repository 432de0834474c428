import { Button, Group, Stack, Text } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { adapterUrl } from '../api/blobs';
import { checkpoints } from '../api/clients';
import { isMissing } from '../api/errors';
import { useRpc } from '../api/hooks';
import { MakeChampion } from '../registry/make-champion';
import { bytes, moment } from '../format';
import type { Checkpoint } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { CopyBlock, CopyIcon } from '../ui/copy';
import { Digest } from '../ui/digest';
import { Empty, Failure, Lines } from '../ui/feedback';
import { Facts, PageHeader, Section } from '../ui/layout';
import { checkpointWords } from '../words';
import { LineageGraph } from './lineage-graph';
import { PinButton } from './pin-button';

export function CheckpointPage() {
  const { checkpointId = '' } = useParams();
  const query = useRpc(checkpoints.getCheckpoint, { checkpointId });
  if (query.isPending) return <Lines />;
  if (!query.data) {
    if (isMissing(query.error)) {
      return (
        <Empty title="There is no such checkpoint" to="/checkpoints" action="Go to the checkpoints">
          {query.error.message}
        </Empty>
      );
    }
    return <Failure error={query.error} what="The checkpoint" onRetry={() => void query.refetch()} />;
  }
  return <CheckpointView checkpoint={query.data} />;
}

/** The form of a run from this checkpoint, with what is known of its model and shape. */
function startFrom({ id, baseModelPath, lora }: Checkpoint): string {
  const edits = {
    start_from: { point: StartPoint.START_POINT_CHECKPOINT, checkpoint_id: id },
    'model.path': baseModelPath,
    ...(lora && {
      'dpo.lora.rank': lora.rank,
      'dpo.lora.alpha': lora.alpha,
      'dpo.lora.dropout': lora.dropout,
      'dpo.lora.target_modules': lora.targetModules,
    }),
  };
  const search = new URLSearchParams(Object.entries(edits).map(([path, value]) => [`set.${path}`, JSON.stringify(value)]));
  return `/runs/new?${search.toString()}`;
}

/** Of an imported adapter; a run's is in its recipe. */
const shapeWords = ({ lora }: Checkpoint): string =>
  lora ? `rank ${String(lora.rank)}, alpha ${String(lora.alpha)}, dropout ${String(lora.dropout)}, ${lora.targetModules.join(', ')}` : '';

function snippet({ baseModelPath, path }: Checkpoint): string {
  return [
    'from peft import PeftModel; from transformers import AutoModelForImageTextToText',
    `base = AutoModelForImageTextToText.from_pretrained(${JSON.stringify(baseModelPath)})`,
    `model = PeftModel.from_pretrained(base, ${JSON.stringify(path)})`,
  ].join('\n');
}

function CheckpointView({ checkpoint }: { checkpoint: Checkpoint }) {
  const gone = checkpoint.deletedAt !== undefined;
  const embedded = checkpoint.baseModelPath.startsWith('embedded:');
  return (
    <Stack gap="md">
      <PageHeader
        title={checkpointWords(checkpoint)}
        detail={`created ${moment(checkpoint.createdAt)}${gone ? `, files deleted ${moment(checkpoint.deletedAt)}` : ''}`}
        actions={
          !gone && (
            <>
              <PinButton checkpoint={checkpoint} />
              <MakeChampion checkpoint={checkpoint} />
              <Button component={Link} to={startFrom(checkpoint)} variant="default" size="compact-md">
                Start a run from it
              </Button>
              <Button component="a" href={adapterUrl(checkpoint.id)} variant="default" size="compact-md">
                Download the adapter
              </Button>
            </>
          )
        }
      />
      <div className="panel" style={{ padding: 12 }}>
        <Facts
          facts={[
            [
              'Run',
              checkpoint.runId && (
                <Link key="run" to={`/runs/${checkpoint.runId}`}>
                  {checkpoint.runName}
                </Link>
              ),
            ],
            ['Imported from', checkpoint.importedFrom],
            ['Shape', shapeWords(checkpoint)],
            ['Adapter', <Digest key="adapter" value={checkpoint.adapterSha256} />],
            [
              'Folder',
              <Group key="path" gap={4} wrap="nowrap">
                <span className="mono">{checkpoint.path}</span>
                <CopyIcon value={checkpoint.path} label="Copy the path" />
              </Group>,
            ],
            ['Size', bytes(checkpoint.bytes)],
            ['Pinned', checkpoint.pinnedAt ? `since ${moment(checkpoint.pinnedAt)}` : ''],
            ['Base model', checkpoint.baseModelPath],
            ['Base digest', <Digest key="base" value={checkpoint.baseModelDigest} />],
            [
              'Continues',
              checkpoint.parentId ? (
                <Link key="parent" to={`/checkpoints/${checkpoint.parentId}`}>
                  the checkpoint before it
                </Link>
              ) : (
                ''
              ),
            ],
          ]}
        />
      </div>
      <Section title="Where it comes from" note="Everything that was needed to make it. Choose a box for its facts.">
        <LineageSection checkpointId={checkpoint.id} />
      </Section>
      {!gone && (
        <Section title="Use it" note="A normal PEFT folder: nothing of this product is needed to load it.">
          <CopyBlock value={snippet(checkpoint)} label="Copy the snippet" />
          {embedded && (
            <Text fz="xs" c="dimmed" mt={6}>
              {checkpoint.baseModelPath} is the model that comes with the trainer; give its folder on disk to from_pretrained.
            </Text>
          )}
        </Section>
      )}
    </Stack>
  );
}

function LineageSection({ checkpointId }: { checkpointId: string }) {
  const lineage = useRpc(checkpoints.getLineage, { checkpointId });
  if (lineage.isError) return <Failure error={lineage.error} what="The lineage" onRetry={() => void lineage.refetch()} />;
  if (lineage.isPending) return <Lines rows={4} />;
  return <LineageGraph lineage={lineage.data} />;
}
