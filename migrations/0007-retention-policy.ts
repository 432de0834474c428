import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention that is applied by itself, and what each application has deleted. */
export class RetentionPolicy1764000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE retention_policy (
        id integer NOT NULL,
        rules jsonb NOT NULL,
        enabled boolean NOT NULL,
        hour integer NOT NULL,
        zone text NOT NULL,
        delivery_days integer NOT NULL,
        skipped_tick_days integer NOT NULL,
        next_at timestamptz,
        CONSTRAINT retention_policy_pkey PRIMARY KEY (id)
      )`);
    await runner.query(`
      CREATE TABLE retention_application (
        id uuid NOT NULL,
        at timestamptz(3) NOT NULL,
        actor text NOT NULL,
        rules jsonb NOT NULL,
        deleted jsonb NOT NULL,
        freed bigint NOT NULL DEFAULT 0,
        deliveries integer NOT NULL DEFAULT 0,
        ticks integer NOT NULL DEFAULT 0,
        CONSTRAINT retention_application_pkey PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE INDEX retention_application_at_id_idx ON retention_application (at, id)`);
    await runner.query(`CREATE INDEX tick_skipped_idx ON tick (ended_at) WHERE state = 'TICK_STATE_SKIPPED'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX tick_skipped_idx');
    await runner.query('DROP TABLE retention_application, retention_policy');
  }
}
