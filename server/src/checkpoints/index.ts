export { CheckpointsModule } from './checkpoints.module.js';
