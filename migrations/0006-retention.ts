import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Checkpoints that a person wants kept, and those whose files are gone. */
export class Retention1764000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE checkpoint ADD COLUMN pinned_at timestamptz, ADD COLUMN deleted_at timestamptz`);
    await runner.query(`CREATE INDEX checkpoint_adapter_sha256_idx ON checkpoint (adapter_sha256)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX checkpoint_adapter_sha256_idx');
    await runner.query('ALTER TABLE checkpoint DROP COLUMN deleted_at, DROP COLUMN pinned_at');
  }
}
