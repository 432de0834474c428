import { Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from 'react-router';
import { registry } from '../api/clients';
import { usePages, useRpcMutation } from '../api/hooks';
import { ago, moment } from '../format';
import type { Alias, Provenance } from '@stic/api/gen/stic/registry/v1/registry.js';
import { Digest } from '../ui/digest';
import { Failure, Lines, LoadMore } from '../ui/feedback';
import { Facts, Section } from '../ui/layout';
import { checkpointWords } from '../words';
import { aliasMove } from './alias-move';
import { Ask } from './ask';
import { History } from './history';

/** One line's alias: what it points at, where that comes from, and every move before. */
export function AliasSection({ alias }: { alias: Alias }) {
  const moves = usePages(registry.listMoves, { aliasId: alias.id, pageSize: 20 }, { version: alias.version });
  return (
    <Section
      title={`${alias.name} of ${alias.baseModelPath}`}
      note={
        <span title={moment(alias.updatedAt)}>
          moved {ago(alias.updatedAt)}, base <Digest value={alias.baseModelDigest} />
        </span>
      }
      actions={<RollBack alias={alias} />}
    >
      <Stack gap="sm">
        <Origin provenance={alias.provenance} />
        {moves.isError && <Failure error={moves.error} what="The history" onRetry={() => void moves.refetch()} />}
        {moves.isPending && <Lines rows={3} />}
        {moves.data && <History moves={moves.data.pages.flatMap((page) => page.moves)} />}
        <LoadMore pages={moves} />
      </Stack>
    </Section>
  );
}

/** What it takes to make the checkpoint again. */
function Origin({ provenance }: { provenance: Provenance | undefined }) {
  if (!provenance) {
    return (
      <Text fz="sm" c="dimmed">
        Points at the base model itself: every promotion has been rolled back.
      </Text>
    );
  }
  const data = provenance.data.map(({ role, datasetName, digest }) => `${role}: ${datasetName} ${digest.slice(0, 12)}`);
  return (
    <Facts
      facts={[
        [
          'Checkpoint',
          <Link key="checkpoint" to={`/checkpoints/${provenance.checkpointId}`}>
            {checkpointWords({ name: provenance.checkpointName, runName: provenance.runName })}
          </Link>,
        ],
        [
          'Run',
          provenance.runId && (
            <Link key="run" to={`/runs/${provenance.runId}`}>{`${provenance.runName} (preset ${provenance.preset})`}</Link>
          ),
        ],
        ['Adapter', <Digest key="adapter" value={provenance.adapterSha256} />],
        ['Data', data.join(' · ')],
        ['Recipe', provenance.recipeDigest && <Digest key="recipe" value={provenance.recipeDigest} />],
        ['Seed', provenance.runId && String(provenance.seed)],
        ['Commit', provenance.commit && <Digest key="commit" value={provenance.commit} />],
        [
          'Started from',
          provenance.startedFrom ? (
            <Link key="start" to={`/checkpoints/${provenance.startedFrom}`}>
              the champion before it
            </Link>
          ) : (
            'the base model'
          ),
        ],
      ]}
    />
  );
}

function RollBack({ alias }: { alias: Alias }) {
  const [asking, { open, close }] = useDisclosure(false);
  const rollback = useRpcMutation(registry.rollbackAlias, { invalidates: aliasMove });
  if (!alias.checkpointId) return null;
  return (
    <Group gap="xs">
      <Button variant="default" size="compact-md" onClick={open}>
        Roll back
      </Button>
      <Ask
        opened={asking}
        title={`Roll ${alias.name} back?`}
        reason="Why"
        action="Roll it back"
        color="red"
        busy={rollback.isPending}
        error={rollback.error}
        onClose={() => {
          rollback.reset();
          close();
        }}
        onAnswer={(reason) => {
          rollback.mutate({ aliasId: alias.id, reason, version: alias.version }, { onSuccess: close });
        }}
      >
        The last move that still stands is taken back: {alias.name} points at what it pointed at before. Nothing is deleted, and the history
        keeps both moves.
      </Ask>
    </Group>
  );
}
