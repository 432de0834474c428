import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Checkpoints that no run has made: adapters imported from a folder. */
export class ImportedCheckpoints1764000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE checkpoint ALTER COLUMN run_id DROP NOT NULL, ALTER COLUMN attempt_id DROP NOT NULL`);
    await runner.query(`ALTER TABLE checkpoint ADD COLUMN imported_from text, ADD COLUMN lora jsonb, ADD COLUMN request_id text`);
    await runner.query(`ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_request_id_key UNIQUE (request_id)`);
    await runner.query(
      `ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_made_or_imported
         CHECK (num_nulls(run_id, attempt_id) IN (0, 2) AND (run_id IS NULL) = (imported_from IS NOT NULL AND lora IS NOT NULL))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM checkpoint WHERE imported_from IS NOT NULL`);
    await runner.query(`ALTER TABLE checkpoint DROP CONSTRAINT checkpoint_made_or_imported`);
    await runner.query(`ALTER TABLE checkpoint DROP COLUMN request_id, DROP COLUMN lora, DROP COLUMN imported_from`);
    await runner.query(`ALTER TABLE checkpoint ALTER COLUMN run_id SET NOT NULL, ALTER COLUMN attempt_id SET NOT NULL`);
  }
}
