import { Column, Entity, Generated, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { FieldChange, Requirements, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';

/** A frozen recipe on named inputs. States are stored under the proto's names. */
@Entity('run')
@Index(['createdAt', 'id'])
@Index(['state', 'position'])
@Index(['forkedFrom'])
@Index('run_queue_idx', ['priority', 'position'], { where: "state = 'RUN_STATE_QUEUED'" })
export class RunEntity {
  @PrimaryColumn('uuid')
  id!: string;

  /** Goes before the position: higher first. */
  @Column('integer', { default: 0 })
  priority!: number;

  /** Order in the queue among equals: a running number. */
  @Column('bigint')
  @Generated('increment')
  position!: string;

  @Column('text')
  name!: string;

  @Column('text')
  state!: RunState;

  /** The recipe as JSON with every field, in the proto's names. */
  @Column('jsonb')
  recipe!: object;

  @Column('text')
  recipeDigest!: string;

  /** What a trainer must have; null when any will do. */
  @Column('jsonb', { nullable: true })
  requires!: Requirements | null;

  /** Stages that equal an earlier success are linked instead of run. */
  @Column('boolean', { default: false })
  reuseStages!: boolean;

  @Column('uuid', { nullable: true })
  forkedFrom!: string | null;

  @ManyToOne(() => RunEntity, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'forked_from' })
  origin?: Relation<RunEntity>;

  /** What the fork does otherwise than the run it was made from. */
  @Column('jsonb', { default: () => "'[]'" })
  forkChanges!: FieldChange[];

  @Column('jsonb', { default: () => "'[]'" })
  warnings!: string[];

  /** A JobError as JSON. */
  @Column('jsonb', { nullable: true })
  error!: object | null;

  @Column('timestamptz', { nullable: true })
  cancelRequestedAt!: Date | null;

  /** Null again once the run is resumed. */
  @Column('timestamptz', { nullable: true })
  pauseRequestedAt!: Date | null;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column('timestamptz', { nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;
}

/** A dataset version in a role; name, digest and counts are copied so that a run stays readable on its own. */
@Entity('run_input')
@Index(['datasetName'])
export class RunInputEntity {
  @PrimaryColumn('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @PrimaryColumn('integer')
  position!: number;

  /** images | instructions | benchmark */
  @Column('text')
  role!: string;

  @Column('uuid')
  datasetId!: string;

  @Column('text')
  datasetName!: string;

  @Column('uuid')
  versionId!: string;

  @Column('text')
  digest!: string;

  @Column('integer')
  items!: number;

  @Column('integer')
  skipped!: number;

  /** The benchmark's name, in that role. */
  @Column('text', { default: '' })
  benchmark!: string;
}
