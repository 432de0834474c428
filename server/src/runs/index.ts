export { RunsModule } from './runs.module.js';
export { RunsService } from './runs.service.js';
