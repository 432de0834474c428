import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Datasets, their versions, what was refused at import, and the requests that made them. */
export class Datasets1764000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE dataset (
        id uuid NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        source text NOT NULL,
        image_root text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT dataset_pkey PRIMARY KEY (id),
        CONSTRAINT dataset_name_key UNIQUE (name)
      )`);
    await runner.query(`CREATE INDEX dataset_created_at_id_idx ON dataset (created_at, id)`);
    await runner.query(`
      CREATE TABLE dataset_version (
        id uuid NOT NULL,
        dataset_id uuid NOT NULL,
        number integer NOT NULL,
        state text NOT NULL,
        digest text NOT NULL DEFAULT '',
        items integer NOT NULL DEFAULT 0,
        skipped integer NOT NULL DEFAULT 0,
        bytes bigint NOT NULL DEFAULT 0,
        done integer NOT NULL DEFAULT 0,
        total integer NOT NULL DEFAULT 0,
        error_code text NOT NULL DEFAULT '',
        error text NOT NULL DEFAULT '',
        benchmark text NOT NULL DEFAULT '',
        lease_owner text,
        lease_expires_at timestamptz,
        epoch integer NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT dataset_version_pkey PRIMARY KEY (id),
        CONSTRAINT dataset_version_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX dataset_version_dataset_id_number_idx ON dataset_version (dataset_id, number)`);
    await runner.query(
      `CREATE UNIQUE INDEX dataset_version_dataset_id_digest_idx ON dataset_version (dataset_id, digest) WHERE state = 'VERSION_STATE_READY'`,
    );
    await runner.query(
      `CREATE INDEX dataset_version_lease_expires_at_idx ON dataset_version (lease_expires_at) WHERE state = 'VERSION_STATE_IMPORTING'`,
    );
    await runner.query(`
      CREATE TABLE dataset_problem (
        version_id uuid NOT NULL,
        position integer NOT NULL,
        name text NOT NULL,
        code text NOT NULL,
        reason text NOT NULL,
        CONSTRAINT dataset_problem_pkey PRIMARY KEY (version_id, position),
        CONSTRAINT dataset_problem_version_id_fkey FOREIGN KEY (version_id) REFERENCES dataset_version (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE TABLE dataset_request (
        request_id text NOT NULL,
        dataset_id uuid NOT NULL,
        content text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT dataset_request_pkey PRIMARY KEY (request_id),
        CONSTRAINT dataset_request_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE dataset_request, dataset_problem, dataset_version, dataset');
  }
}
