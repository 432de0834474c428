export const datasetTopic = (id: string): string => `dataset:${id}`;

/** Rings when there may be something to import. */
export const IMPORTS_TOPIC = 'imports';
