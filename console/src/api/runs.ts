import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import type { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import {
  ListLogsResponse,
  ListMetricsResponse,
  ListPairsResponse,
  ListPresetsResponse,
  ListRunsResponse,
  ListSamplesResponse,
  ListSkippedResponse,
  Run,
  RunState,
  type StoredLog,
  type StoredMetric,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { get, post } from './client';
import { useWatch } from './watch';

const LIVE_POLL_MS = 2000;
const CHART_POINTS = 400;

/** True when nothing about the run can change any more. */
export function hasEnded(run: Run): boolean {
  return [RunState.RUN_STATE_SUCCEEDED, RunState.RUN_STATE_FAILED, RunState.RUN_STATE_CANCELLED].includes(run.state);
}

export function useRuns(state: RunState, pageToken: string) {
  return useQuery({
    queryKey: ['runs', state, pageToken],
    queryFn: ({ signal }) =>
      get(
        ListRunsResponse,
        '/runs',
        { page_size: 25, page_token: pageToken, state: state === RunState.RUN_STATE_UNSPECIFIED ? '' : state },
        signal,
      ),
    refetchInterval: (query) => (query.state.data?.runs.every(hasEnded) ? 10_000 : 3000),
    placeholderData: (previous) => previous,
  });
}

/** A run, kept up to date until it has ended. */
export function useRun(runId: string) {
  const key = ['run', runId];
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => get(Run, `/runs/${runId}`, {}, signal) });
  const enabled = query.data !== undefined && !hasEnded(query.data);
  const connection = useWatch({ path: `/runs/${runId}/watch`, decoder: Run, key, enabled, isFinal: hasEnded });
  return { ...query, connection };
}

/** What can be asked of a run; a retry may say where to go on from. */
export interface RunAction {
  what: 'cancel' | 'pause' | 'resume' | 'retry';
  fromStage?: StageKind;
}

export function useRunAction(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ what, fromStage }: RunAction) => post(Run, `/runs/${runId}/${what}`, fromStage ? { from_stage: fromStage } : {}),
    onSuccess: (run) => {
      client.setQueryData(['run', runId], run);
    },
  });
}

interface Growing<T> {
  items: T[];
  cursor: string;
}

interface GrowingPage<T> {
  items: T[];
  nextCursor: string;
  more: boolean;
}

/** A list that only grows: each poll asks for what is behind the cursor and appends it. */
function useGrowing<T>(key: string[], live: boolean, load: (cursor: string, signal: AbortSignal) => Promise<GrowingPage<T>>) {
  const client = useQueryClient();
  return useQuery({
    // `live` in the key: the last poll of a running run may have missed the end, and the ended run's list is read once more.
    queryKey: [...key, live],
    queryFn: async ({ queryKey, signal }) => {
      let known = client.getQueryData<Growing<T>>(queryKey) ??
        client.getQueryData<Growing<T>>([...key, !live]) ?? { items: [], cursor: '' };
      for (let more = true; more;) {
        const page = await load(known.cursor, signal);
        if (page.items.length > 0) known = { items: [...known.items, ...page.items], cursor: page.nextCursor };
        more = page.more;
      }
      return known;
    },
    select: (known) => known.items,
    refetchInterval: live ? LIVE_POLL_MS : false,
    structuralSharing: false,
    placeholderData: (previous) => previous,
  });
}

/** The series of all attempts, each of as many points as a chart shows. */
export function useMetrics(runId: string, live: boolean) {
  return useQuery({
    // `live` in the key: the last poll of a running run may have missed the end, and the ended run's series are read once more.
    queryKey: ['metrics', runId, live],
    queryFn: ({ signal }) => get(ListMetricsResponse, `/runs/${runId}/metrics`, { max_points: CHART_POINTS, all_attempts: 'true' }, signal),
    select: (response) => response.series,
    refetchInterval: live ? LIVE_POLL_MS : false,
    placeholderData: (previous) => previous,
  });
}

export function useLogs(runId: string, live: boolean) {
  return useGrowing<StoredLog>(['logs', runId], live, async (cursor, signal) => {
    const page = await get(ListLogsResponse, `/runs/${runId}/logs`, { cursor, page_size: 1000 }, signal);
    return { items: page.logs, nextCursor: page.nextCursor, more: page.more };
  });
}

/** Pairs in order, page after page; `ready` changes when the pairs may have appeared. */
export function usePairs(runId: string, madeBy: string, ready: boolean) {
  return useInfiniteQuery({
    queryKey: ['pairs', runId, madeBy, ready],
    queryFn: ({ pageParam, signal }) =>
      get(ListPairsResponse, `/runs/${runId}/pairs`, { page_size: 100, page_token: pageParam, made_by: madeBy }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

export function useSkipped(runId: string, live: boolean) {
  return useInfiniteQuery({
    queryKey: ['skipped', runId, live],
    queryFn: ({ pageParam, signal }) =>
      get(ListSkippedResponse, `/runs/${runId}/skipped`, { page_size: 100, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: live ? 5000 : false,
  });
}

export function useSamples(runId: string, live: boolean) {
  return useQuery({
    queryKey: ['samples', runId, live],
    queryFn: ({ signal }) => get(ListSamplesResponse, `/runs/${runId}/samples`, {}, signal),
    refetchInterval: live ? 5000 : false,
  });
}

export function useComparison(runId: string, live: boolean) {
  return useQuery({
    queryKey: ['comparison', runId, live],
    queryFn: ({ signal }) => get(Comparison, `/runs/${runId}/comparison`, {}, signal),
    refetchInterval: live ? 5000 : false,
  });
}

export function usePresets() {
  return useQuery({
    queryKey: ['presets'],
    queryFn: ({ signal }) => get(ListPresetsResponse, '/presets', {}, signal),
    staleTime: 60_000,
  });
}

/** The run this request would make, or the server's objection. Nothing is stored. */
export function useRunPreview(request: object | undefined) {
  return useQuery({
    queryKey: ['preview', request],
    queryFn: ({ signal }) => post(Run, '/runs', { ...request, validate_only: true }, signal),
    enabled: request !== undefined,
    retry: false,
    placeholderData: (previous) => previous,
    gcTime: 10_000,
  });
}

export function useCreateRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: object) => post(Run, '/runs', request),
    onSuccess: (run) => {
      client.setQueryData(['run', run.id], run);
      return client.invalidateQueries({ queryKey: ['runs'] });
    },
  });
}
