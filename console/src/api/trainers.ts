import { useQuery } from '@tanstack/react-query';
import { GetInfoResponse } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { get } from './client';

/** A trainer as the server sees it. `info` is absent while it does not answer; then `problem` says why. */
export interface Trainer {
  address: string;
  healthy: boolean;
  problem: string;
  hint: string;
  info: GetInfoResponse | undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const TrainersAnswer = {
  fromJSON(json: unknown): Trainer[] {
    const { trainers } = json as { trainers?: Record<string, unknown>[] };
    return (trainers ?? []).map(({ address, healthy, problem, hint, info }) => ({
      address: text(address),
      healthy: healthy === true,
      problem: text(problem),
      hint: text(hint),
      info: info ? GetInfoResponse.fromJSON(info) : undefined,
    }));
  },
};

export function useTrainers() {
  return useQuery({
    queryKey: ['trainers'],
    queryFn: ({ signal }) => get(TrainersAnswer, '/trainers', {}, signal),
    refetchInterval: 5000,
  });
}

const Reachable = { fromJSON: (json: unknown) => json };

/** Fails while the server does not answer. */
export function useHealth() {
  return useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => get(Reachable, '/health', {}, signal),
    refetchInterval: 10_000,
    retry: 1,
  });
}
