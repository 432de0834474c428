import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One change, written in the transaction that made it; the table refuses updates and deletions. */
@Entity('audit_entry')
@Index(['at', 'id'])
@Index(['subjectId', 'at'])
export class AuditEntryEntity {
  @PrimaryColumn('uuid')
  id!: string;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  @Column('text')
  actor!: string;

  @Column('text')
  action!: string;

  @Column('text')
  subjectType!: string;

  @Column('text')
  subjectId!: string;

  @Column('text')
  subjectName!: string;

  @Column('jsonb')
  details!: Record<string, string>;
}
