import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  ApplyRetentionResponse,
  ListOrphansResponse,
  ListRetentionApplicationsResponse,
  PinCheckpointResponse,
  RemoveOrphansResponse,
  RetentionPlan,
  RetentionPolicy,
  RetentionRules,
} from '@stic/api/gen/stic/retention/v1/retention.js';
import { get, post } from './client';

/** What the rules say now; nothing is changed. */
export function useRetentionPlan(rules: RetentionRules) {
  return useQuery({
    queryKey: ['retention', rules],
    queryFn: ({ signal }) => post(RetentionPlan, '/retention/plan', { rules: RetentionRules.toJSON(rules) }, signal),
    placeholderData: (previous) => previous,
  });
}

/** Deletes what a plan says, if it is still what its rules say. */
export function useApplyRetention() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ rules, digest }: RetentionPlan) =>
      post(ApplyRetentionResponse, '/retention/apply', { rules: rules && RetentionRules.toJSON(rules), digest }),
    onSettled: () => client.invalidateQueries(),
  });
}

/** What is applied by itself. */
export function useRetentionPolicy() {
  return useQuery({
    queryKey: ['retention policy'],
    queryFn: ({ signal }) => get(RetentionPolicy, '/retention/policy', {}, signal),
  });
}

export function useSetRetentionPolicy() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (policy: RetentionPolicy) => post(RetentionPolicy, '/retention/policy', { policy: RetentionPolicy.toJSON(policy) }),
    onSuccess: (policy) => {
      client.setQueryData(['retention policy'], policy);
    },
  });
}

/** What has been deleted, the latest first. */
export function useRetentionApplications() {
  return useInfiniteQuery({
    queryKey: ['retention applications'],
    queryFn: ({ pageParam, signal }) =>
      get(ListRetentionApplicationsResponse, '/retention/applications', { page_size: 20, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: 30_000,
  });
}

export function useOrphans() {
  return useQuery({
    queryKey: ['orphans'],
    queryFn: ({ signal }) => get(ListOrphansResponse, '/retention/orphans', {}, signal),
  });
}

export function useRemoveOrphans() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post(RemoveOrphansResponse, '/retention/orphans/remove', {}),
    onSettled: () => client.invalidateQueries({ queryKey: ['orphans'] }),
  });
}

export function usePin(checkpointId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (pinned: boolean) => post(PinCheckpointResponse, `/checkpoints/${checkpointId}/pin`, { pinned }),
    onSettled: () => client.invalidateQueries({ queryKey: ['checkpoint', checkpointId] }),
  });
}
