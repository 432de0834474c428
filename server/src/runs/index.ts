export { RunActions } from './run.actions.js';
export { RunsModule } from './runs.module.js';
export { RunsService } from './runs.service.js';
