import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Images chosen by a list, and how many of a version's items or list entries repeat others. */
export class ImageLists1764000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE dataset ADD COLUMN image_list text NOT NULL DEFAULT ''`);
    await runner.query(
      `ALTER TABLE dataset_version ADD COLUMN duplicates integer NOT NULL DEFAULT 0, ADD COLUMN repeats integer NOT NULL DEFAULT 0`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dataset_version DROP COLUMN duplicates, DROP COLUMN repeats');
    await runner.query('ALTER TABLE dataset DROP COLUMN image_list');
  }
}
