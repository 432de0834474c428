export { scheduleEntities } from './schedule.entity.js';
export { SchedulesModule } from './schedules.module.js';
