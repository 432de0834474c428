import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What is applied by itself: one row, or none as long as nobody has stored anything. */
@Entity('retention_policy')
export class RetentionPolicyEntity {
  @PrimaryColumn('integer')
  id!: number;

  /** RetentionRules as JSON. */
  @Column('jsonb')
  rules!: object;

  @Column('boolean')
  enabled!: boolean;

  @Column('integer')
  hour!: number;

  @Column('text')
  zone!: string;

  @Column('integer')
  deliveryDays!: number;

  @Column('integer')
  skippedTickDays!: number;

  /** Null while it is off. */
  @Column('timestamptz', { nullable: true })
  nextAt!: Date | null;
}

/** What applying rules has done, once. */
@Entity('retention_application')
@Index(['at', 'id'])
export class RetentionApplicationEntity {
  @PrimaryColumn('uuid')
  id!: string;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  @Column('text')
  actor!: string;

  @Column('jsonb')
  rules!: object;

  /** DeletedCheckpoints as JSON. */
  @Column('jsonb')
  deleted!: object[];

  /** Known once the files are gone. */
  @Column('bigint', { default: 0 })
  freed!: string;

  @Column('integer', { default: 0 })
  deliveries!: number;

  @Column('integer', { default: 0 })
  ticks!: number;
}

/** Every table of retention. */
export const retentionEntities = [RetentionPolicyEntity, RetentionApplicationEntity];
