import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Checkpoints merged into their base model. */
export class MergedExports1764000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE merged_export (
        checkpoint_id uuid NOT NULL,
        dtype text NOT NULL,
        state text NOT NULL,
        phase text NOT NULL DEFAULT '',
        done integer NOT NULL DEFAULT 0,
        total integer NOT NULL DEFAULT 0,
        error_code text NOT NULL DEFAULT '',
        error text NOT NULL DEFAULT '',
        sha256 text NOT NULL DEFAULT '',
        bytes bigint NOT NULL DEFAULT 0,
        stored_dtype text NOT NULL DEFAULT '',
        largest_difference double precision NOT NULL DEFAULT 0,
        effect double precision NOT NULL DEFAULT 0,
        lease_owner text,
        lease_expires_at timestamptz,
        epoch integer NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT merged_export_pkey PRIMARY KEY (checkpoint_id, dtype),
        CONSTRAINT merged_export_checkpoint_id_fkey FOREIGN KEY (checkpoint_id) REFERENCES checkpoint (id) ON DELETE CASCADE
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE merged_export');
  }
}
