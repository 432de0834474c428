import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { RunEntity } from './run.entity.js';

/** A node of a run's graph, and the lease of the server process that moves it. */
@Entity('stage')
@Index(['runId', 'position'], { unique: true })
@Index(['state', 'leaseExpiresAt'])
export class StageEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @Column('integer')
  position!: number;

  @Column('text')
  kind!: StageKind;

  @Column('text')
  state!: StageState;

  /** Kinds of the same run that must have succeeded first. */
  @Column('jsonb')
  after!: StageKind[];

  /** The latest Progress as JSON. */
  @Column('jsonb', { nullable: true })
  progress!: object | null;

  @Column('jsonb', { nullable: true })
  error!: object | null;

  /** Digest of all its result depends on, from when it is ready: an attempt with the same one would make the same again. */
  @Column('text', { nullable: true })
  key!: string | null;

  /** Attempts that a fault has ended since a person last set the stage going. */
  @Column('integer', { default: 0 })
  faults!: number;

  /** Before this moment no new attempt is made: the back-off after a fault. */
  @Column('timestamptz', { nullable: true })
  notBefore!: Date | null;

  @Column('text', { nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { nullable: true })
  leaseExpiresAt!: Date | null;

  /** Grows with every new owner; a write that carries an older one is refused. */
  @Column('integer', { default: 0 })
  epoch!: number;

  @Column('timestamptz', { nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;
}

/** One try of a stage on one trainer. Its id is the trainer's job id. */
@Entity('attempt')
@Index(['stageId', 'number'], { unique: true })
@Index('attempt_open_idx', ['trainer'], { where: 'ended_at IS NULL' })
@Index(['linkedFrom'])
@Index('attempt_made_idx', ['key'], { where: "state = 'JOB_STATE_SUCCEEDED'" })
export class AttemptEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  stageId!: string;

  @ManyToOne(() => StageEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'stage_id' })
  stage?: Relation<StageEntity>;

  @Column('integer')
  number!: number;

  /** JOB_STATE_UNSPECIFIED until the trainer has said something. */
  @Column('text')
  state!: JobState;

  /** Address of the trainer; empty when linked. */
  @Column('text')
  trainer!: string;

  @Column('text', { default: '' })
  device!: string;

  @Column('text', { default: '' })
  dtype!: string;

  /** The stage's key at its start; null for what nobody may link to. */
  @Column('text', { nullable: true })
  key!: string | null;

  /** The attempt whose results it has taken over; such an attempt has never been on a trainer. */
  @Column('uuid', { nullable: true })
  linkedFrom!: string | null;

  @ManyToOne(() => AttemptEntity, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'linked_from' })
  source?: Relation<AttemptEntity>;

  /** The earlier attempt whose work it may take up. */
  @Column('uuid', { nullable: true })
  resumeFrom!: string | null;

  @Column('integer', { default: 0 })
  resumedFromStep!: number;

  /** Seq of the last event stored: what comes again is not stored twice. */
  @Column('bigint', { default: 0 })
  lastSeq!: string;

  /** Since when the trainer has not answered about this attempt. */
  @Column('timestamptz', { nullable: true })
  unreachableSince!: Date | null;

  @Column('jsonb', { nullable: true })
  error!: object | null;

  @Column('jsonb', { default: () => "'{}'" })
  facts!: Record<string, string>;

  @Column('timestamptz', { default: () => 'now()' })
  startedAt!: Date;

  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;
}
