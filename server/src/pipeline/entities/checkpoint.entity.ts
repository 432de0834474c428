import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { MergedState } from '../../gen/stic/checkpoints/v1/checkpoints.js';
import type { CheckpointName } from '../graph.js';
import { RunEntity } from './run.entity.js';
import { AttemptEntity } from './stage.entity.js';

/** An adapter with its base model's digest; made in the transaction that ends its stage. */
@Entity('checkpoint')
@Index(['runId', 'name'], { unique: true })
@Index(['createdAt', 'id'])
@Index(['adapterSha256'])
export class CheckpointEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @Column('uuid')
  attemptId!: string;

  @ManyToOne(() => AttemptEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'attempt_id' })
  attempt?: Relation<AttemptEntity>;

  @Column('text')
  name!: CheckpointName;

  @Column('text')
  adapterSha256!: string;

  @Column('bigint')
  bytes!: string;

  @Column('text')
  baseModelPath!: string;

  @Column('text')
  baseModelDigest!: string;

  @Column('text')
  templateHash!: string;

  /** The checkpoint it continues, which may be another run's; null when it starts from the base. */
  @Column('uuid', { nullable: true })
  parentId!: string | null;

  @ManyToOne(() => CheckpointEntity, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'parent_id' })
  parent?: Relation<CheckpointEntity>;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** Since when a person wants it kept whatever the retention rules say. */
  @Column('timestamptz', { nullable: true })
  pinnedAt!: Date | null;

  /** When its files were given up. The row stays, so that lineages stay whole. */
  @Column('timestamptz', { nullable: true })
  deletedAt!: Date | null;
}

/** A checkpoint merged into its base model, by the type its weights are stored in; its tree is held as long as the checkpoint's is. */
@Entity('merged_export')
export class MergedExportEntity {
  @PrimaryColumn('uuid')
  checkpointId!: string;

  @ManyToOne(() => CheckpointEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'checkpoint_id' })
  checkpoint?: Relation<CheckpointEntity>;

  /** As asked for; empty: each weight keeps its own. */
  @PrimaryColumn('text')
  dtype!: string;

  @Column('text')
  state!: MergedState;

  @Column('text', { default: '' })
  phase!: string;

  /** MB. */
  @Column('integer', { default: 0 })
  done!: number;

  @Column('integer', { default: 0 })
  total!: number;

  /** Why it FAILED or, while RUNNING, what it waits for. */
  @Column('text', { default: '' })
  errorCode!: string;

  @Column('text', { default: '' })
  error!: string;

  /** Tree digest, once READY. */
  @Column('text', { default: '' })
  sha256!: string;

  @Column('bigint', { default: 0 })
  bytes!: string;

  @Column('text', { default: '' })
  storedDtype!: string;

  @Column('double precision', { default: 0 })
  largestDifference!: number;

  @Column('double precision', { default: 0 })
  effect!: number;

  /** The server process that exports now. */
  @Column('text', { nullable: true })
  leaseOwner!: string | null;

  /** From then on another may take the export over; also the earliest time of a retry. */
  @Column('timestamptz', { nullable: true })
  leaseExpiresAt!: Date | null;

  /** Raised by every claim; writes of an older one change nothing. */
  @Column('integer', { default: 0 })
  epoch!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
