import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';

/** An address that wants to know. Its secrets are sealed: see secrets.ts. */
@Entity('webhook_endpoint')
@Index(['createdAt', 'id'])
export class WebhookEndpointEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  url!: string;

  @Column('text')
  description!: string;

  @Column('jsonb')
  events!: string[];

  @Column('boolean')
  enabled!: boolean;

  @Column('text', { default: '' })
  disabledReason!: string;

  @Column('text')
  secret!: string;

  @Column('text')
  secretFingerprint!: string;

  /** After a rotation, what is sent is signed with this one too, until `previousUntil`. */
  @Column('text', { nullable: true })
  previousSecret!: string | null;

  @Column('timestamptz', { nullable: true })
  previousUntil!: Date | null;

  /** Which key the secrets are sealed with: a server with another one leaves the endpoint to others. */
  @Column('text')
  keyId!: string;

  /** Milliseconds, so that a page token holds it exactly. */
  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

/** One request of a delivery and what came of it; as JSON in the delivery. */
export type Try = { at: string; status: number; response: string; error: string; milliseconds: number };

/** An event on its way to an endpoint, written in the transaction of what it tells about. */
@Entity('webhook_delivery')
@Index('webhook_delivery_due_idx', ['nextTryAt'], { where: `state = 'DELIVERY_STATE_PENDING'` })
@Index(['createdAt', 'id'])
@Index(['endpointId', 'createdAt'])
export class WebhookDeliveryEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  endpointId!: string;

  @ManyToOne(() => WebhookEndpointEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'endpoint_id' })
  endpoint?: Relation<WebhookEndpointEntity>;

  @Column('text')
  eventType!: string;

  @Column('text')
  state!: DeliveryState;

  /** The body, to the byte. */
  @Column('text')
  payload!: string;

  /** The latest ones, in order. */
  @Column('jsonb', { default: () => "'[]'" })
  tries!: Try[];

  /** Failed tries since it was made or sent again by hand. */
  @Column('integer', { default: 0 })
  failures!: number;

  @Column('timestamptz', { nullable: true })
  nextTryAt!: Date | null;

  /** One claim's own mark: whoever's claim has run out cannot write any more. */
  @Column('text', { nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { nullable: true })
  leaseExpiresAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
