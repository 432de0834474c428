/** Topics of the change feed: what a notification is about. */

/** A change of a run. */
export const runTopic = (runId: string): string => `run:${runId}`;

/** A change of a dataset. */
export const datasetTopic = (id: string): string => `dataset:${id}`;

/** There may be a stage to move: a new run, a cancellation, the end of a stage. */
export const pipelineTopic = 'pipeline';

/** There may be a version to import. */
export const IMPORTS_TOPIC = 'imports';

/** There may be something for the scheduler to do. */
export const schedulesTopic = 'schedules';
