import { Column, Entity, Generated, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';
import { RunEntity } from './run.entity.js';
import { AttemptEntity, StageEntity } from './stage.entity.js';

/** What an attempt has reported, keyed by its journal's seq: the same event stored twice is the same row. */
abstract class Reported {
  @PrimaryColumn('uuid')
  attemptId!: string;

  @ManyToOne(() => AttemptEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'attempt_id' })
  attempt?: Relation<AttemptEntity>;

  @PrimaryColumn('bigint')
  seq!: string;

  @Column('uuid')
  runId!: string;
}

abstract class ReportedOfRun extends Reported {
  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;
}

/**
 * A point of a series. `id` grows in the order of storing and is the reader's cursor. The run is not a foreign key: the attempt is one,
 * and points are stored by the million.
 */
@Entity('metric_point')
@Index(['runId', 'id'])
export class MetricPointEntity extends Reported {
  @Column('bigint')
  @Generated('increment')
  id!: string;

  @Column('text')
  name!: string;

  @Column('integer')
  step!: number;

  @Column('double precision')
  value!: number;
}

/** Neighbouring steps of an attempt's series in one row, kept as the points are stored: what a chart of a long series is drawn from. */
@Entity('metric_rollup')
export class MetricRollupEntity {
  @PrimaryColumn('uuid')
  attemptId!: string;

  @ManyToOne(() => AttemptEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'attempt_id' })
  attempt?: Relation<AttemptEntity>;

  @PrimaryColumn('text')
  name!: string;

  /** step >> 5 */
  @PrimaryColumn('integer')
  bucket!: number;

  @Column('integer')
  points!: number;

  @Column('integer')
  firstStep!: number;

  @Column('double precision')
  firstValue!: number;

  @Column('integer')
  minStep!: number;

  @Column('double precision')
  minValue!: number;

  @Column('integer')
  maxStep!: number;

  @Column('double precision')
  maxValue!: number;

  @Column('integer')
  lastStep!: number;

  @Column('double precision')
  lastValue!: number;
}

/** The last visible value of a run's metric, kept beside the points so that runs can be searched by it. */
@Entity('run_metric')
@Index(['name', 'value'])
export class RunMetricEntity {
  @PrimaryColumn('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @PrimaryColumn('text')
  name!: string;

  @Column('integer')
  step!: number;

  /** Number of the attempt that reported it. */
  @Column('integer')
  attempt!: number;

  @Column('double precision')
  value!: number;
}

@Entity('log_line')
@Index(['runId', 'id'])
export class LogLineEntity extends ReportedOfRun {
  @Column('bigint')
  @Generated('increment')
  id!: string;

  @Column('timestamptz')
  at!: Date;

  @Column('text')
  level!: string;

  @Column('text')
  message!: string;
}

@Entity('artifact')
@Index(['runId'])
@Index(['stageId'])
export class ArtifactEntity extends ReportedOfRun {
  @Column('uuid')
  stageId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  kind!: ArtifactKind;

  @Column('text')
  sha256!: string;

  @Column('bigint')
  bytes!: string;

  @Column('text')
  mediaType!: string;

  @Column('integer')
  items!: number;

  @Column('jsonb')
  metadata!: Record<string, string>;
}

/** What a resumed attempt may report again is kept once per stage, under a key of its own. */
abstract class ReportedOnce {
  @PrimaryColumn('uuid')
  stageId!: string;

  @ManyToOne(() => StageEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'stage_id' })
  stage?: Relation<StageEntity>;

  /** sha256 of what makes it one: see the writer. */
  @PrimaryColumn('text')
  key!: string;

  @Column('bigint')
  @Generated('increment')
  id!: string;

  @Column('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;
}

/** A text about an image: one per subject, image and prompt. */
@Entity('sample')
@Index(['runId', 'id'])
export class SampleEntity extends ReportedOnce {
  @Column('text')
  subject!: string;

  @Column('text')
  imageSha256!: string;

  @Column('text')
  imageName!: string;

  @Column('text')
  prompt!: string;

  @Column('text')
  text!: string;
}

/** An item a stage has left out: one per item and code. */
@Entity('skipped_item')
@Index(['runId', 'id'])
export class SkippedItemEntity extends ReportedOnce {
  @Column('text')
  name!: string;

  @Column('text')
  code!: string;

  @Column('text')
  reason!: string;
}
