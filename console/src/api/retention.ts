import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  ApplyRetentionResponse,
  ListOrphansResponse,
  PinCheckpointResponse,
  RemoveOrphansResponse,
  RetentionPlan,
  RetentionRules,
} from '../gen/stic/retention/v1/retention';
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
