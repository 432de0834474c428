import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs and everything a run makes. Names are those the naming strategy gives, so that entities and schema can be compared. */
export class Pipeline1764000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE run (
        id uuid NOT NULL,
        request_id text,
        position bigserial NOT NULL,
        name text NOT NULL,
        state text NOT NULL,
        recipe jsonb NOT NULL,
        recipe_digest text NOT NULL,
        warnings jsonb NOT NULL DEFAULT '[]',
        error jsonb,
        cancel_requested_at timestamptz,
        created_at timestamptz(3) NOT NULL,
        started_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT run_pkey PRIMARY KEY (id),
        CONSTRAINT run_request_id_key UNIQUE (request_id)
      )`);
    await runner.query(`CREATE INDEX run_created_at_id_idx ON run (created_at, id)`);
    await runner.query(`CREATE INDEX run_position_state_idx ON run (state, position)`);
    await runner.query(`
      CREATE TABLE run_input (
        run_id uuid NOT NULL,
        position integer NOT NULL,
        role text NOT NULL,
        dataset_id uuid NOT NULL,
        dataset_name text NOT NULL,
        version_id uuid NOT NULL,
        digest text NOT NULL,
        items integer NOT NULL,
        skipped integer NOT NULL,
        benchmark text NOT NULL DEFAULT '',
        CONSTRAINT run_input_pkey PRIMARY KEY (run_id, position),
        CONSTRAINT run_input_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      CREATE TABLE stage (
        id uuid NOT NULL,
        run_id uuid NOT NULL,
        position integer NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        after jsonb NOT NULL,
        progress jsonb,
        error jsonb,
        not_before timestamptz,
        lease_owner text,
        lease_expires_at timestamptz,
        epoch integer NOT NULL DEFAULT 0,
        started_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT stage_pkey PRIMARY KEY (id),
        CONSTRAINT stage_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX stage_position_run_id_idx ON stage (run_id, position)`);
    await runner.query(`CREATE INDEX stage_lease_expires_at_state_idx ON stage (state, lease_expires_at)`);
    await runner.query(`
      CREATE TABLE attempt (
        id uuid NOT NULL,
        stage_id uuid NOT NULL,
        number integer NOT NULL,
        state text NOT NULL,
        trainer text NOT NULL,
        device text NOT NULL DEFAULT '',
        dtype text NOT NULL DEFAULT '',
        resume_from uuid,
        resumed_from_step integer NOT NULL DEFAULT 0,
        last_seq bigint NOT NULL DEFAULT 0,
        unreachable_since timestamptz,
        error jsonb,
        facts jsonb NOT NULL DEFAULT '{}',
        started_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        CONSTRAINT attempt_pkey PRIMARY KEY (id),
        CONSTRAINT attempt_stage_id_fkey FOREIGN KEY (stage_id) REFERENCES stage (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX attempt_number_stage_id_idx ON attempt (stage_id, number)`);
    await runner.query(`CREATE INDEX attempt_open_idx ON attempt (trainer) WHERE ended_at IS NULL`);

    await createReported(
      runner,
      'metric_point',
      `
      id bigserial NOT NULL,
      name text NOT NULL,
      step integer NOT NULL,
      value double precision NOT NULL`,
    );
    await runner.query(`CREATE INDEX metric_point_id_run_id_idx ON metric_point (run_id, id)`);
    await createReported(
      runner,
      'log_line',
      `
      id bigserial NOT NULL,
      at timestamptz NOT NULL,
      level text NOT NULL,
      message text NOT NULL`,
    );
    await runner.query(`CREATE INDEX log_line_id_run_id_idx ON log_line (run_id, id)`);
    await createReported(
      runner,
      'artifact',
      `
      stage_id uuid NOT NULL,
      name text NOT NULL,
      kind text NOT NULL,
      sha256 text NOT NULL,
      bytes bigint NOT NULL,
      media_type text NOT NULL,
      items integer NOT NULL,
      metadata jsonb NOT NULL`,
    );
    await runner.query(`CREATE INDEX artifact_run_id_idx ON artifact (run_id)`);
    await runner.query(`CREATE INDEX artifact_stage_id_idx ON artifact (stage_id)`);

    await createReportedOnce(
      runner,
      'sample',
      `
      subject text NOT NULL,
      image_sha256 text NOT NULL,
      image_name text NOT NULL,
      prompt text NOT NULL,
      text text NOT NULL`,
    );
    await createReportedOnce(
      runner,
      'skipped_item',
      `
      name text NOT NULL,
      code text NOT NULL,
      reason text NOT NULL`,
    );

    await runner.query(`
      CREATE TABLE checkpoint (
        id uuid NOT NULL,
        run_id uuid NOT NULL,
        attempt_id uuid NOT NULL,
        name text NOT NULL,
        adapter_sha256 text NOT NULL,
        bytes bigint NOT NULL,
        base_model_path text NOT NULL,
        base_model_digest text NOT NULL,
        template_hash text NOT NULL,
        parent_id uuid,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT checkpoint_pkey PRIMARY KEY (id),
        CONSTRAINT checkpoint_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE,
        CONSTRAINT checkpoint_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES attempt (id) ON DELETE CASCADE,
        CONSTRAINT checkpoint_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES checkpoint (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX checkpoint_name_run_id_idx ON checkpoint (run_id, name)`);
    await runner.query(`CREATE INDEX checkpoint_created_at_id_idx ON checkpoint (created_at, id)`);
    await runner.query(`
      CREATE TABLE evaluation (
        id uuid NOT NULL,
        run_id uuid NOT NULL,
        checkpoint_id uuid,
        seq bigint NOT NULL,
        benchmark text NOT NULL,
        metric text NOT NULL,
        subject text NOT NULL,
        mode text NOT NULL,
        "primary" boolean NOT NULL,
        higher_is_better boolean NOT NULL,
        n integer NOT NULL,
        value double precision NOT NULL,
        difference double precision NOT NULL,
        low double precision NOT NULL,
        high double precision NOT NULL,
        majority double precision NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT evaluation_pkey PRIMARY KEY (id),
        CONSTRAINT evaluation_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE,
        CONSTRAINT evaluation_checkpoint_id_fkey FOREIGN KEY (checkpoint_id) REFERENCES checkpoint (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE UNIQUE INDEX evaluation_cell_key ON evaluation (run_id, benchmark, metric, subject, mode)`);
    await runner.query(`CREATE INDEX evaluation_created_at_id_idx ON evaluation (created_at, id)`);
    await runner.query(`CREATE INDEX evaluation_checkpoint_id_idx ON evaluation (checkpoint_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE evaluation, checkpoint, skipped_item, sample, artifact, log_line, metric_point, attempt, stage, run_input, run`,
    );
  }
}

/** A table keyed by the attempt and its journal's seq. */
async function createReported(runner: QueryRunner, table: string, columns: string): Promise<void> {
  await runner.query(`
    CREATE TABLE ${table} (
      attempt_id uuid NOT NULL,
      seq bigint NOT NULL,
      run_id uuid NOT NULL,
      ${columns},
      CONSTRAINT ${table}_pkey PRIMARY KEY (attempt_id, seq),
      CONSTRAINT ${table}_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES attempt (id) ON DELETE CASCADE,
      CONSTRAINT ${table}_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
    )`);
}

/** A table keyed by the stage and what makes a row one. */
async function createReportedOnce(runner: QueryRunner, table: string, columns: string): Promise<void> {
  await runner.query(`
    CREATE TABLE ${table} (
      stage_id uuid NOT NULL,
      key text NOT NULL,
      id bigserial NOT NULL,
      run_id uuid NOT NULL,
      ${columns},
      CONSTRAINT ${table}_pkey PRIMARY KEY (stage_id, key),
      CONSTRAINT ${table}_stage_id_fkey FOREIGN KEY (stage_id) REFERENCES stage (id) ON DELETE CASCADE,
      CONSTRAINT ${table}_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
    )`);
  await runner.query(`CREATE INDEX ${table}_id_run_id_idx ON ${table} (run_id, id)`);
}
