import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
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
