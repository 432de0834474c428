import { type Trainer, TrainerServiceDefinition } from '@stic/api/gen/stic/trainers/v1/trainers.js';
import { serves } from '../platform/api/serves.js';
import { TrainerPool, type TrainerStatus } from './trainer-pool.js';

export const trainersApi = serves(TrainerServiceDefinition, [TrainerPool], (pool) => ({
  listTrainers: async () => ({ trainers: (await pool.list()).map(toTrainer) }),
}));

const toTrainer = ({ address, info, problem }: TrainerStatus): Trainer => ({
  address,
  healthy: info !== undefined,
  problem: problem?.message ?? '',
  hint: problem?.hint ?? '',
  info,
});
