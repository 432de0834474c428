import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Aliases with their history, gates, the audit log and webhooks. */
export class Registry1764000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE alias (
        id uuid NOT NULL,
        base_model_digest text NOT NULL,
        base_model_path text NOT NULL,
        name text NOT NULL,
        checkpoint_id uuid,
        version integer NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        CONSTRAINT alias_pkey PRIMARY KEY (id),
        CONSTRAINT alias_checkpoint_id_fkey FOREIGN KEY (checkpoint_id) REFERENCES checkpoint (id)
      )`);
    await runner.query(`CREATE UNIQUE INDEX alias_base_model_digest_name_idx ON alias (base_model_digest, name)`);
    await runner.query(`CREATE INDEX alias_id_updated_at_idx ON alias (updated_at, id)`);
    await runner.query(`
      CREATE TABLE alias_move (
        alias_id uuid NOT NULL,
        number integer NOT NULL,
        kind text NOT NULL,
        from_checkpoint_id uuid,
        to_checkpoint_id uuid,
        actor text NOT NULL,
        reason text NOT NULL,
        at timestamptz(3) NOT NULL,
        run_id uuid,
        undoes integer NOT NULL DEFAULT 0,
        provenance jsonb,
        CONSTRAINT alias_move_pkey PRIMARY KEY (alias_id, number),
        CONSTRAINT alias_move_alias_id_fkey FOREIGN KEY (alias_id) REFERENCES alias (id)
      )`);
    await runner.query(`
      CREATE TABLE gate (
        run_id uuid NOT NULL,
        state text NOT NULL,
        base_model_digest text NOT NULL,
        alias text NOT NULL,
        candidate_id uuid,
        champion_id uuid,
        champion_run_name text NOT NULL DEFAULT '',
        benchmarks jsonb NOT NULL DEFAULT '[]',
        mean_gain double precision NOT NULL DEFAULT 0,
        reasons jsonb NOT NULL DEFAULT '[]',
        decided_by text NOT NULL DEFAULT '',
        comment text NOT NULL DEFAULT '',
        created_at timestamptz(3) NOT NULL,
        decided_at timestamptz,
        CONSTRAINT gate_pkey PRIMARY KEY (run_id),
        CONSTRAINT gate_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX gate_created_at_run_id_idx ON gate (created_at, run_id)`);

    await runner.query(`
      CREATE TABLE audit_entry (
        id uuid NOT NULL,
        at timestamptz(3) NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        subject_type text NOT NULL,
        subject_id text NOT NULL,
        subject_name text NOT NULL,
        details jsonb NOT NULL,
        CONSTRAINT audit_entry_pkey PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE INDEX audit_entry_at_id_idx ON audit_entry (at, id)`);
    await runner.query(`CREATE INDEX audit_entry_at_subject_id_idx ON audit_entry (subject_id, at)`);
    await appendOnly(runner, 'alias_move', 'audit_entry');

    await runner.query(`
      CREATE TABLE webhook_endpoint (
        id uuid NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        events jsonb NOT NULL,
        enabled boolean NOT NULL,
        disabled_reason text NOT NULL DEFAULT '',
        secret text NOT NULL,
        secret_fingerprint text NOT NULL,
        previous_secret text,
        previous_until timestamptz,
        key_id text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id)
      )`);
    await runner.query(`CREATE INDEX webhook_endpoint_created_at_id_idx ON webhook_endpoint (created_at, id)`);
    await runner.query(`
      CREATE TABLE webhook_delivery (
        id uuid NOT NULL,
        endpoint_id uuid NOT NULL,
        event_type text NOT NULL,
        state text NOT NULL,
        payload text NOT NULL,
        tries jsonb NOT NULL DEFAULT '[]',
        failures integer NOT NULL DEFAULT 0,
        next_try_at timestamptz,
        lease_owner text,
        lease_expires_at timestamptz,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id),
        CONSTRAINT webhook_delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoint (id) ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX webhook_delivery_due_idx ON webhook_delivery (next_try_at) WHERE state = 'DELIVERY_STATE_PENDING'`);
    await runner.query(`CREATE INDEX webhook_delivery_created_at_id_idx ON webhook_delivery (created_at, id)`);
    await runner.query(`CREATE INDEX webhook_delivery_created_at_endpoint_id_idx ON webhook_delivery (endpoint_id, created_at)`);

    await runner.query(`ALTER TABLE evaluation ADD COLUMN versus text NOT NULL DEFAULT ''`);
    await runner.query(`DROP INDEX evaluation_cell_key`);
    await runner.query(`CREATE UNIQUE INDEX evaluation_cell_key ON evaluation (run_id, benchmark, metric, subject, mode, versus)`);

    // A run may now continue what another run has made, which must not vanish with that one.
    await runner.query(`ALTER TABLE checkpoint DROP CONSTRAINT checkpoint_parent_id_fkey`);
    await runner.query(
      `ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES checkpoint (id) ON DELETE SET NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE checkpoint DROP CONSTRAINT checkpoint_parent_id_fkey`);
    await runner.query(
      `ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES checkpoint (id) ON DELETE CASCADE`,
    );
    await runner.query(`DELETE FROM evaluation WHERE versus <> ''`);
    await runner.query(`DROP INDEX evaluation_cell_key`);
    await runner.query(`ALTER TABLE evaluation DROP COLUMN versus`);
    await runner.query(`CREATE UNIQUE INDEX evaluation_cell_key ON evaluation (run_id, benchmark, metric, subject, mode)`);
    await runner.query(`DROP TABLE webhook_delivery, webhook_endpoint, audit_entry, gate, alias_move, alias`);
    await runner.query(`DROP FUNCTION refuse_change`);
  }
}

/** History that could be rewritten would prove nothing. */
async function appendOnly(runner: QueryRunner, ...tables: string[]): Promise<void> {
  await runner.query(`
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
    END $$`);
  for (const table of tables) {
    await runner.query(
      `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_change()`,
    );
  }
}
