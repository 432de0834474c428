import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import { CheckpointEntity } from '../model/index.js';

/** A name for a checkpoint within a line, which is the adapters of one base model. While it points there, the checkpoint stays. */
@Entity('alias')
@Index(['baseModelDigest', 'name'], { unique: true })
@Index(['updatedAt', 'id'])
export class AliasEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  baseModelDigest!: string;

  @Column('text')
  baseModelPath!: string;

  @Column('text')
  name!: string;

  /** Null: the base model itself. */
  @Column('uuid', { nullable: true })
  checkpointId!: string | null;

  @ManyToOne(() => CheckpointEntity)
  @JoinColumn({ name: 'checkpoint_id' })
  checkpoint?: Relation<CheckpointEntity>;

  /** Number of its last move. */
  @Column('integer')
  version!: number;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

/** One move of an alias. The table refuses updates and deletions; checkpoints are named without a key, for they may be gone. */
@Entity('alias_move')
export class AliasMoveEntity {
  @PrimaryColumn('uuid')
  aliasId!: string;

  @ManyToOne(() => AliasEntity)
  @JoinColumn({ name: 'alias_id' })
  alias?: Relation<AliasEntity>;

  /** 1, 2, ... within the alias. */
  @PrimaryColumn('integer')
  number!: number;

  @Column('text')
  kind!: MoveKind;

  @Column('uuid', { nullable: true })
  fromCheckpointId!: string | null;

  @Column('uuid', { nullable: true })
  toCheckpointId!: string | null;

  @Column('text')
  actor!: string;

  @Column('text')
  reason!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  /** The run whose gate moved it. */
  @Column('uuid', { nullable: true })
  runId!: string | null;

  /** For a roll-back: number of the move it takes back. */
  @Column('integer', { default: 0 })
  undoes!: number;

  /** A Provenance as JSON: of the checkpoint it moved to, as it was then. */
  @Column('jsonb', { nullable: true })
  provenance!: object | null;
}
