/** Rings when there may be something for the scheduler to do. */
export const schedulesTopic = 'schedules';
