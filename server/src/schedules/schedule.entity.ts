import { Column, Entity, Generated, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import type { RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import { TickReason, type TickOrigin, type TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { RunEntity } from '../model/index.js';

/** What is to be run when, and how far the scheduler has come with it. */
@Entity('schedule')
@Index(['createdAt', 'id'])
@Index('schedule_due_at_idx', ['dueAt'], { where: 'due_at IS NOT NULL' })
export class ScheduleEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { unique: true })
  name!: string;

  /** The ScheduleSpec as JSON with every field, in the proto's names. */
  @Column('jsonb')
  spec!: object;

  @Column('text')
  recipeDigest!: string;

  @Column('timestamptz', { nullable: true })
  pausedAt!: Date | null;

  @Column('text', { default: '' })
  pauseReason!: string;

  /** Failures in a row. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** The first time by the expression that nothing has been decided about; null when there is none. */
  @Column('timestamptz', { nullable: true })
  nextAt!: Date | null;

  /** `nextAt` with its jitter. */
  @Column('timestamptz', { nullable: true })
  dueAt!: Date | null;

  /** The clock when `nextAt` was set: a clock that is behind it has been set back. */
  @Column('timestamptz')
  decidedAt!: Date;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column('timestamptz')
  updatedAt!: Date;
}

/** A time of a schedule and what became of it. Of those that are not skipped there is one per nominal time: the index says so. */
@Entity('tick')
@Index('tick_once_idx', ['scheduleId', 'nominalAt'], { unique: true, where: `state <> 'TICK_STATE_SKIPPED'` })
@Index(['scheduleId', 'nominalAt', 'id'])
@Index('tick_skipped_idx', ['endedAt'], { where: `state = 'TICK_STATE_SKIPPED'` })
@Index('tick_open_idx', ['state', 'lookAt'], { where: 'ended_at IS NULL' })
@Index(['runId'])
@Index('tick_request_id_idx', ['scheduleId', 'requestId'], { where: 'request_id IS NOT NULL' })
export class TickEntity {
  @PrimaryColumn('uuid')
  id!: string;

  /** Order in which ticks of a schedule take their turn. */
  @Column('bigint')
  @Generated('increment')
  position!: string;

  @Column('uuid')
  scheduleId!: string;

  @ManyToOne(() => ScheduleEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'schedule_id' })
  schedule?: Relation<ScheduleEntity>;

  /** The trigger or back-fill that made it; null for those of the clock. */
  @Column('text', { nullable: true })
  requestId!: string | null;

  @Column('text')
  origin!: TickOrigin;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  nominalAt!: Date;

  @Column('timestamptz')
  dueAt!: Date;

  /** When the scheduler took it up. */
  @Column('timestamptz')
  takenAt!: Date;

  /** While WAITING: when to look at it again. */
  @Column('timestamptz')
  lookAt!: Date;

  @Column('timestamptz', { nullable: true })
  firedAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;

  @Column('text')
  state!: TickState;

  @Column('text', { default: TickReason.TICK_REASON_UNSPECIFIED })
  reason!: TickReason;

  /** The reason in words. */
  @Column('text', { default: '' })
  message!: string;

  /** What the run is made of, once that is settled: made again after a crash it is the same run. */
  @Column('jsonb', { nullable: true })
  inputs!: Pick<RunInput, 'role' | 'datasetId' | 'versionId'>[] | null;

  /** The whole version of the images at the fire: what later fires need not take again. */
  @Column('uuid', { nullable: true })
  seenVersionId!: string | null;

  @Column('uuid', { nullable: true })
  runId!: string | null;

  @ManyToOne(() => RunEntity, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;
}

export const scheduleEntities = [ScheduleEntity, TickEntity];
