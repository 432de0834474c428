import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Priorities, requirements, pauses, forks, faults and the keys by which equal stages are found. */
export class Actions1764000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE run
        ADD COLUMN priority integer NOT NULL DEFAULT 0,
        ADD COLUMN requires jsonb,
        ADD COLUMN reuse_stages boolean NOT NULL DEFAULT false,
        ADD COLUMN forked_from uuid,
        ADD COLUMN fork_changes jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN pause_requested_at timestamptz,
        ADD CONSTRAINT run_forked_from_fkey FOREIGN KEY (forked_from) REFERENCES run (id) ON DELETE SET NULL`);
    await runner.query(`ALTER TABLE stage ADD COLUMN key text, ADD COLUMN faults integer NOT NULL DEFAULT 0`);
    await runner.query(`
      ALTER TABLE attempt
        ADD COLUMN key text,
        ADD COLUMN linked_from uuid,
        ADD CONSTRAINT attempt_linked_from_fkey FOREIGN KEY (linked_from) REFERENCES attempt (id) ON DELETE SET NULL`);
    await runner.query(`CREATE INDEX attempt_made_idx ON attempt (key) WHERE state = 'JOB_STATE_SUCCEEDED'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX attempt_made_idx');
    await runner.query('ALTER TABLE attempt DROP COLUMN linked_from, DROP COLUMN key');
    await runner.query('ALTER TABLE stage DROP COLUMN faults, DROP COLUMN key');
    await runner.query(
      `ALTER TABLE run DROP COLUMN pause_requested_at, DROP COLUMN fork_changes, DROP COLUMN forked_from, DROP COLUMN reuse_stages,
         DROP COLUMN requires, DROP COLUMN priority`,
    );
  }
}
