import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { RunEntity } from '../model/index.js';

/** The gate at the end of a run: which champion its candidate is compared with, and what came of it. */
@Entity('gate')
@Index(['createdAt', 'runId'])
export class GateEntity {
  @PrimaryColumn('uuid')
  runId!: string;

  @ManyToOne(() => RunEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'run_id' })
  run?: Relation<RunEntity>;

  @Column('text')
  state!: GateState;

  @Column('text')
  baseModelDigest!: string;

  /** The alias' name. */
  @Column('text')
  alias!: string;

  /** The run's last checkpoint; null until the evaluation is over. */
  @Column('uuid', { nullable: true })
  candidateId!: string | null;

  /** What the alias pointed at when the evaluation began; null for the base model. */
  @Column('uuid', { nullable: true })
  championId!: string | null;

  @Column('text', { default: '' })
  championRunName!: string;

  /** BenchmarkVerdicts as JSON. */
  @Column('jsonb', { default: () => "'[]'" })
  benchmarks!: object[];

  @Column('double precision', { default: 0 })
  meanGain!: number;

  @Column('jsonb', { default: () => "'[]'" })
  reasons!: string[];

  @Column('text', { default: '' })
  decidedBy!: string;

  @Column('text', { default: '' })
  comment!: string;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column('timestamptz', { nullable: true })
  decidedAt!: Date | null;
}
