export { readOutcomes } from './outcome.reader.js';
export { PipelineModule, PRESETS } from './pipeline.module.js';
export { goOn } from './reconciler/advance-run.js';
export { openAttempts, toCandidate, withoutEnded } from './reconciler/attempt-start.js';
export type { Stop } from './reconciler/decide.js';
export { resumeRun, retryRun } from './reconciler/retry.js';
export { hasOpenAttempt, stopRun } from './reconciler/run-transitions.js';
export { whyWaiting } from './reconciler/trainer-selection.js';
