import { CheckpointEntity, MergedExportEntity } from './checkpoint.entity.js';
import { EvaluationEntity } from './evaluation.entity.js';
import { ArtifactEntity, LogLineEntity, MetricPointEntity, MetricRollupEntity, SampleEntity, SkippedItemEntity } from './record.entity.js';
import { RunEntity, RunInputEntity } from './run.entity.js';
import { AttemptEntity, StageEntity } from './stage.entity.js';

export * from './checkpoint.entity.js';
export * from './evaluation.entity.js';
export * from './record.entity.js';
export * from './run.entity.js';
export * from './stage.entity.js';

/** Every table of the pipeline. */
export const pipelineEntities = [
  RunEntity,
  RunInputEntity,
  StageEntity,
  AttemptEntity,
  MetricPointEntity,
  MetricRollupEntity,
  LogLineEntity,
  ArtifactEntity,
  SampleEntity,
  SkippedItemEntity,
  CheckpointEntity,
  MergedExportEntity,
  EvaluationEntity,
];
