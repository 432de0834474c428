import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import { CheckpointEntity } from './checkpoint.entity.js';
import { RunEntity } from './run.entity.js';

/** One cell of a run's comparison. Exists once, however often an attempt reports it. Figures as in EvaluationScore. */
@Entity('evaluation')
@Index('evaluation_cell_key', ['runId', 'benchmark', 'metric', 'subject', 'mode', 'versus'], { unique: true })
@Index(['createdAt', 'id'])
@Index(['checkpointId'])
@Index('evaluation_headline_idx', ['benchmark', 'runId', 'subject', 'value'], {
  where: `"primary" AND mode = 'plain' AND versus = ''`,
})
export class EvaluationEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  /** Null for the base model. */
  @Column('uuid', { nullable: true })
  checkpointId!: string | null;

  @ManyToOne(() => CheckpointEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'checkpoint_id' })
  checkpoint?: Relation<CheckpointEntity>;

  /** The order the trainer reports cells in: benchmarks, metrics, subjects, modes. */
  @Column('bigint')
  seq!: string;

  @Column('text')
  benchmark!: string;

  @Column('text')
  metric!: string;

  /** base | stage1 | stage2 | champion */
  @Column('text')
  subject!: string;

  /** plain | dar */
  @Column('text')
  mode!: string;

  /** Empty, or champion: what difference, low and high are against. */
  @Column('text', { default: '' })
  versus!: string;

  @Column('boolean')
  primary!: boolean;

  @Column('boolean')
  higherIsBetter!: boolean;

  @Column('integer')
  n!: number;

  @Column('double precision')
  value!: number;

  @Column('double precision')
  difference!: number;

  @Column('double precision')
  low!: number;

  @Column('double precision')
  high!: number;

  @Column('double precision')
  majority!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
