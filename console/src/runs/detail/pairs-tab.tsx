import { Chip, Group, Loader, Stack, Text } from '@mantine/core';
import { useEffect } from 'react';
import { useParams, useSearchParams } from 'react-router';
import { runs } from '../../api/clients';
import { usePages } from '../../api/hooks';
import { count } from '../../format';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState, type ListPairsResponse, type Pair, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Empty, Failure, Lines, LoadMore } from '../../ui/feedback';
import { stageLook } from '../../states';
import { plainWords } from '../../words';
import { useRunContext } from './context';
import { PairFocus } from './pair-focus';
import { PairGrid } from './pair-grid';

/** The run's preference pairs: all as a grid, or one at its own address. */
export function PairsTab() {
  const { run } = useRunContext();
  const { index } = useParams();
  const [search] = useSearchParams();
  const madeBy = search.get('made_by') ?? '';
  const prefer = run.stages.find(({ kind }) => kind === StageKind.STAGE_KIND_PREFER);
  const ready = prefer === undefined || prefer.state === StageState.STAGE_STATE_SUCCEEDED;
  const pages = usePages(runs.listPairs, { runId: run.id, madeBy, pageSize: 100 }, { version: ready });
  const pairs = pages.data?.pages.flatMap((page) => page.pairs) ?? [];
  const wanted = index === undefined ? undefined : Number(index);
  const found = wanted === undefined ? undefined : pairs.find((pair) => pair.index === wanted);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;

  // An address may name a pair on a later page, and the pair after the last loaded one must be at hand.
  const near = found !== undefined && pairs.indexOf(found) >= pairs.length - 5;
  const more = hasNextPage && !isFetchingNextPage && wanted !== undefined && (found === undefined || near);
  useEffect(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);

  if (pages.isError && !pages.data) return <Failure error={pages.error} what="The pairs" onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Lines />;
  const first = pages.data.pages[0];
  if (!first || (first.total === 0 && !madeBy)) return <NoPairs run={run} />;

  return (
    <Stack gap="sm">
      <MadeByFilter counts={first.counts} shown={first.total} />
      {wanted === undefined ? (
        <>
          {pairs.length > 0 ? (
            <PairGrid run={run} pairs={pairs} />
          ) : (
            <Empty title="No pair was made this way" to={`/runs/${run.id}/pairs`} action="Show all pairs">
              The filter hides all pairs of this run.
            </Empty>
          )}
          <LoadMore pages={pages} />
        </>
      ) : (
        <OnePair run={run} pair={found} pairs={pairs} total={first.total} searching={hasNextPage} wanted={wanted} />
      )}
    </Stack>
  );
}

interface OnePairProps {
  run: Run;
  pair: Pair | undefined;
  pairs: Pair[];
  total: number;
  searching: boolean;
  wanted: number;
}

function OnePair({ run, pair, pairs, total, searching, wanted }: OnePairProps) {
  if (pair) return <PairFocus run={run} pair={pair} pairs={pairs} total={total} />;
  if (searching) {
    return (
      <Group>
        <Loader size="sm" />
        <Text fz="sm">
          Looking for pair {wanted}, {count(pairs.length)} of {count(total)} read
        </Text>
      </Group>
    );
  }
  return (
    <Empty title={`There is no pair ${String(wanted)} here`} to={`/runs/${run.id}/pairs`} action="Show all pairs">
      It may have been left out (see Skipped), or the filter hides it.
    </Empty>
  );
}

function MadeByFilter({ counts, shown }: { counts: ListPairsResponse['counts']; shown: number }) {
  const [search, setSearch] = useSearchParams();
  const chosen = search.get('made_by') ?? '';
  const all = Object.values(counts).reduce((sum, value) => sum + value, 0);
  return (
    <Group gap="xs" role="group" aria-label="What made the rejected text">
      <Text fz="sm" c="dimmed">
        Rejected text made by
      </Text>
      <Chip.Group
        value={chosen}
        onChange={(value) => {
          setSearch(value ? { made_by: value } : {});
        }}
      >
        <Chip size="xs" value="">
          anything ({count(all || shown)})
        </Chip>
        {Object.entries(counts)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, pairs]) => (
            <Chip key={name} size="xs" value={name}>
              {plainWords(name)} ({count(pairs)})
            </Chip>
          ))}
      </Chip.Group>
    </Group>
  );
}

function NoPairs({ run }: { run: Run }) {
  const prefer = run.stages.find(({ kind }) => kind === StageKind.STAGE_KIND_PREFER);
  const waiting = prefer?.state === StageState.STAGE_STATE_RUNNING || prefer?.state === StageState.STAGE_STATE_READY;
  return (
    <Empty title={waiting ? 'No pairs yet' : 'This run has no pairs'}>
      The prefer stage makes them: for each image one good description, and one that is wrong because of a misleading prompt or a corrupted
      image. They appear when it has finished; it is now: {prefer ? stageLook(prefer.state).word.toLowerCase() : 'absent'}
      {prefer?.progress?.total ? ` (${String(prefer.progress.done)} of ${String(prefer.progress.total)})` : ''}.
    </Empty>
  );
}
