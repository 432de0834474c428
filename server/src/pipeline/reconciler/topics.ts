/** Rung when there may be something to move: a new run, a cancel, the end of a stage. */
export const pipelineTopic = 'pipeline';

/** Rung at every change of a run. */
export const runTopic = (runId: string): string => `run:${runId}`;
