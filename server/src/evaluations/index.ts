export { EvaluationsModule } from './evaluations.module.js';
export { bestOf } from './findings.js';
export { toScore } from './score.js';
