import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';

/** A name for a source of images, instructions or benchmark items. */
@Entity('dataset')
@Index(['createdAt', 'id'])
export class DatasetEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { unique: true })
  name!: string;

  @Column('text')
  kind!: DatasetKind;

  @Column('text')
  source!: string;

  @Column('text')
  imageRoot!: string;

  /** File with the names of the images to take; empty for all. */
  @Column('text', { default: '' })
  imageList!: string;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

/** One import of the source. Once READY, what it contains (its digest) never changes. */
@Entity('dataset_version')
@Index(['datasetId', 'number'], { unique: true })
@Index(['datasetId', 'digest'], { unique: true, where: `state = 'VERSION_STATE_READY'` })
@Index(['leaseExpiresAt'], { where: `state = 'VERSION_STATE_IMPORTING'` })
export class DatasetVersionEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  datasetId!: string;

  @ManyToOne(() => DatasetEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'dataset_id' })
  dataset?: Relation<DatasetEntity>;

  /** Imports count 1, 2, ... within the dataset. Versions made of others count -1, -2, ..., so that none of them is ever the latest. */
  @Column('integer')
  number!: number;

  @Column('text')
  state!: VersionState;

  /** sha256 of the manifest; empty until READY. */
  @Column('text', { default: '' })
  digest!: string;

  @Column('integer', { default: 0 })
  items!: number;

  @Column('integer', { default: 0 })
  skipped!: number;

  /** Items whose content is that of an earlier item. */
  @Column('integer', { default: 0 })
  duplicates!: number;

  /** Entries of the image list that repeat an earlier entry. */
  @Column('integer', { default: 0 })
  repeats!: number;

  @Column('bigint', { default: 0 })
  bytes!: string;

  @Column('integer', { default: 0 })
  done!: number;

  @Column('integer', { default: 0 })
  total!: number;

  /** Why it FAILED or, while IMPORTING, what it waits for. */
  @Column('text', { default: '' })
  errorCode!: string;

  @Column('text', { default: '' })
  error!: string;

  @Column('text', { default: '' })
  benchmark!: string;

  /** The server process that imports now. */
  @Column('text', { nullable: true })
  leaseOwner!: string | null;

  /** From then on another may take the import over; also the earliest time of a retry. */
  @Column('timestamptz', { nullable: true })
  leaseExpiresAt!: Date | null;

  /** Raised by every claim; writes of an older one change nothing. */
  @Column('integer', { default: 0 })
  epoch!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

/** An item refused at import. */
@Entity('dataset_problem')
export class DatasetProblemEntity {
  @PrimaryColumn('uuid')
  versionId!: string;

  @ManyToOne(() => DatasetVersionEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'version_id' })
  version?: Relation<DatasetVersionEntity>;

  /** 1, 2, ... in the order they were found. */
  @PrimaryColumn('integer')
  position!: number;

  @Column('text')
  name!: string;

  @Column('text')
  code!: string;

  @Column('text')
  reason!: string;
}

export const datasetEntities = [DatasetEntity, DatasetVersionEntity, DatasetProblemEntity];
