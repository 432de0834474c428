import { Checkbox, Group, ScrollArea, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { runs } from '../../api/clients';
import { useGrowing } from '../../api/hooks';
import { clock, count } from '../../format';
import type { StoredLog } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Empty, Failure, Lines } from '../../ui/feedback';
import { stageWord } from '../../words';
import { useRunContext } from './context';
import classes from './logs.module.css';

const shownLines = 2000;
const levels = [
  { value: 'info', label: 'All' },
  { value: 'warning', label: 'Warnings and errors' },
  { value: 'error', label: 'Errors' },
];
const rank: Record<string, number> = { info: 0, warning: 1, error: 2 };

export function LogsTab() {
  const { run, live } = useRunContext();
  const [search, setSearch] = useSearchParams();
  const logs = useGrowing(runs.listLogs, { runId: run.id, pageSize: 1000 }, (page) => page.logs, live);
  const level = search.get('level') ?? 'info';
  const words = search.get('search') ?? '';
  const [follow, setFollow] = useState(true);

  const matching = useMemo(
    () =>
      (logs.data ?? []).filter(
        ({ line }) =>
          (rank[line?.level ?? 'info'] ?? 0) >= (rank[level] ?? 0) && (line?.message ?? '').toLowerCase().includes(words.toLowerCase()),
      ),
    [logs.data, level, words],
  );

  const set = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { replace: true });
  };

  if (logs.isError && !logs.data) return <Failure error={logs.error} what="The logs" onRetry={() => void logs.refetch()} />;
  if (logs.isPending) return <Lines />;
  if (logs.data.length === 0) {
    return <Empty title={live ? 'No log lines yet' : 'This run wrote no log'}>The trainer's lines appear here as the stages run.</Empty>;
  }
  return (
    <Stack gap="sm">
      <Group>
        <SegmentedControl
          size="xs"
          aria-label="Level"
          value={level}
          data={levels}
          onChange={(value) => {
            set('level', value === 'info' ? '' : value);
          }}
        />
        <TextInput
          size="xs"
          w={280}
          placeholder="Search in the log"
          aria-label="Search in the log"
          value={words}
          onChange={(event) => {
            set('search', event.currentTarget.value);
          }}
        />
        <Checkbox
          size="xs"
          label="Follow"
          checked={follow}
          onChange={(event) => {
            setFollow(event.currentTarget.checked);
          }}
        />
        <Text fz="xs" c="dimmed">
          {count(matching.length)} of {count(logs.data.length)} lines
          {matching.length > shownLines ? `, the last ${count(shownLines)} shown` : ''}
        </Text>
      </Group>
      {matching.length === 0 ? (
        <Empty title="No line matches">Change the level or the search.</Empty>
      ) : (
        <LogLines logs={matching.slice(-shownLines)} follow={follow} />
      )}
    </Stack>
  );
}

function LogLines({ logs, follow }: { logs: StoredLog[]; follow: boolean }) {
  const viewport = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (follow) viewport.current?.scrollTo({ top: viewport.current.scrollHeight });
  }, [logs, follow]);
  return (
    <ScrollArea.Autosize mah="60vh" viewportRef={viewport} className="panel" role="log" aria-label="Log">
      <ol className={classes.lines}>
        {logs.map(({ at, stage, attempt, line }, index) => (
          <li key={index} data-level={line?.level}>
            <span className={classes.dim}>{clock(at)}</span>
            <span className={classes.dim}>
              {stageWord(stage)}
              {attempt > 1 ? ` #${String(attempt)}` : ''}
            </span>
            <span>{line?.level}</span>
            <span className={classes.message}>{line?.message}</span>
          </li>
        ))}
      </ol>
    </ScrollArea.Autosize>
  );
}
