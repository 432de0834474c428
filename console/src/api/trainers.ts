import { useQuery } from '@tanstack/react-query';
import { GetInfoResponse } from '../gen/stic/trainer/v1/trainer';
import { get } from './client';

/** A trainer as the server sees it. `info` is absent while it does not answer. */
export interface Trainer {
  address: string;
  health: string;
  error: string;
  info: GetInfoResponse | undefined;
}

const TrainersAnswer = {
  fromJSON(json: unknown): Trainer[] {
    const { trainers } = json as { trainers?: Record<string, unknown>[] };
    return (trainers ?? []).map((trainer) => ({
      address: typeof trainer.address === 'string' ? trainer.address : '',
      health: typeof trainer.health === 'string' ? trainer.health : '',
      error: typeof trainer.error === 'string' ? trainer.error : '',
      info: trainer.info ? GetInfoResponse.fromJSON(trainer.info) : undefined,
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
