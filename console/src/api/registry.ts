import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  Gate,
  GateState,
  ListAliasesResponse,
  ListGatesResponse,
  ListMovesResponse,
  MoveAliasResponse,
} from '@stic/api/gen/stic/registry/v1/registry.js';
import { ApiError, get, post } from './client';

export function useAliases() {
  return useInfiniteQuery({
    queryKey: ['aliases'],
    queryFn: ({ pageParam, signal }) => get(ListAliasesResponse, '/aliases', { page_size: 50, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: 10_000,
  });
}

/** An alias' history; `version` changes when there is more of it. */
export function useMoves(aliasId: string, version: number) {
  return useInfiniteQuery({
    queryKey: ['moves', aliasId, version],
    queryFn: ({ pageParam, signal }) =>
      get(ListMovesResponse, `/aliases/${aliasId}/moves`, { page_size: 20, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

export function usePendingGates() {
  return useQuery({
    queryKey: ['gates', 'pending'],
    queryFn: ({ signal }) => get(ListGatesResponse, '/gates', { page_size: 200, state: GateState.GATE_STATE_PENDING }, signal),
    refetchInterval: 10_000,
  });
}

/** A run's gate; null until its evaluation begins. */
export function useGate(runId: string, { live, wanted }: { live: boolean; wanted: boolean }) {
  return useQuery({
    enabled: wanted,
    queryKey: ['gate', runId, live],
    queryFn: async ({ signal }) => {
      try {
        return await get(Gate, `/runs/${runId}/gate`, {}, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: live ? 5000 : false,
  });
}

/** Everything that an alias' move may change on the page. */
function useMoved() {
  const client = useQueryClient();
  return () =>
    Promise.all(
      ['aliases', 'moves', 'gates', 'gate', 'run', 'schedules', 'ticks'].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
}

export function useSetAlias() {
  const moved = useMoved();
  return useMutation({
    mutationFn: (request: { checkpoint_id: string; name: string; reason: string }) => post(MoveAliasResponse, '/aliases', request),
    onSettled: moved,
  });
}

export function useRollback(aliasId: string) {
  const moved = useMoved();
  return useMutation({
    mutationFn: (request: { reason: string; version: number }) => post(MoveAliasResponse, `/aliases/${aliasId}/rollback`, request),
    onSettled: moved,
  });
}

export function useDecideGate(runId: string, verb: 'approve' | 'reject') {
  const moved = useMoved();
  return useMutation({ mutationFn: (comment: string) => post(Gate, `/runs/${runId}/gate/${verb}`, { comment }), onSettled: moved });
}
