import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { RunEntity } from './run.entity.js';
import { AttemptEntity } from './stage.entity.js';

/** An adapter with its base model's digest: made in the transaction that ends its stage, or imported, and then of no run. */
@Entity('checkpoint')
@Check(
  'checkpoint_made_or_imported',
  'num_nulls(run_id, attempt_id) IN (0, 2) AND (run_id IS NULL) = (imported_from IS NOT NULL AND lora IS NOT NULL)',
)
@Index(['runId', 'name'], { unique: true })
@Index(['createdAt', 'id'])
@Index(['adapterSha256'])
@Index(['parentId'])
export class CheckpointEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { nullable: true })
  runId!: string | null;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @Column('uuid', { nullable: true })
  attemptId!: string | null;

  @ManyToOne(() => AttemptEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'attempt_id' })
  attempt?: Relation<AttemptEntity>;

  /** stage1 | stage2; an imported one has the name it was given. */
  @Column('text')
  name!: string;

  @Column('text')
  adapterSha256!: string;

  @Column('bigint')
  bytes!: string;

  @Column('text')
  baseModelPath!: string;

  @Column('text')
  baseModelDigest!: string;

  /** Empty for an imported one: with which chat template it was trained is not known. */
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

  /** The folder it was imported from; null for one that a run has made. */
  @Column('text', { nullable: true })
  importedFrom!: string | null;

  /** A LoraConfig as JSON, of an imported one: the recipe of its run says it for the others. */
  @Column('jsonb', { nullable: true })
  lora!: object | null;
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
