import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Checkpoint, Lineage, ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { get } from './client';

/** Checkpoints, newest first; of one run when `runId` is given. */
export function useCheckpoints(runId = '', live = false) {
  return useInfiniteQuery({
    queryKey: ['checkpoints', runId, live],
    queryFn: ({ pageParam, signal }) =>
      get(ListCheckpointsResponse, '/checkpoints', { page_size: 50, page_token: pageParam, run_id: runId }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: live ? 5000 : false,
  });
}

export function useCheckpoint(id: string) {
  return useQuery({
    queryKey: ['checkpoint', id],
    queryFn: ({ signal }) => get(Checkpoint, `/checkpoints/${id}`, {}, signal),
  });
}

export function useLineage(id: string) {
  return useQuery({
    queryKey: ['lineage', id],
    queryFn: ({ signal }) => get(Lineage, `/checkpoints/${id}/lineage`, {}, signal),
  });
}
