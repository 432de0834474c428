export { TrainerDirectory } from './trainer-directory.js';
export { TrainerPool, type TrainerStatus } from './trainer-pool.js';
export { TrainersModule } from './trainers.module.js';
export { LocalSidecar } from './local-sidecar.js';
