export { FireTimes } from './fire-times.js';
export { scheduleEntities } from './schedule.entity.js';
export { SchedulesModule } from './schedules.module.js';
export { forgetSkipped } from './ticks/store.js';
