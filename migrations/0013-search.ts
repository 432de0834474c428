import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last value of each metric of a run, to search runs by; and one table for the requests that were carried out. */
export class Search1764000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE run_metric (
        run_id uuid NOT NULL,
        name text NOT NULL,
        step integer NOT NULL,
        attempt integer NOT NULL,
        value double precision NOT NULL,
        CONSTRAINT run_metric_pkey PRIMARY KEY (run_id, name),
        CONSTRAINT run_metric_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE
      )`);
    await runner.query(`
      INSERT INTO run_metric (run_id, name, step, attempt, value)
      SELECT DISTINCT ON (run_id, name) run_id, name, step, attempt.number, value
      FROM metric_point JOIN attempt ON attempt.id = attempt_id
      WHERE value <> 'NaN'
      ORDER BY run_id, name, step DESC, attempt.number DESC, metric_point.id DESC`);
    await runner.query(`CREATE INDEX run_metric_name_value_idx ON run_metric (name, value)`);
    // Holds all that a search by score reads, in the order in which the last checkpoint's score comes first.
    await runner.query(
      `CREATE INDEX evaluation_headline_idx ON evaluation (benchmark, run_id, subject, value)
         WHERE "primary" AND mode = 'plain' AND versus = ''`,
    );
    await runner.query(`CREATE INDEX run_input_dataset_name_idx ON run_input (dataset_name)`);

    await runner.query(`
      CREATE TABLE idempotency_key (
        request_id text NOT NULL,
        method text NOT NULL,
        digest text NOT NULL,
        result text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT idempotency_key_pkey PRIMARY KEY (request_id)
      )`);
    // What they asked for is not known any more: they answer to their id alone.
    await runner.query(`
      INSERT INTO idempotency_key (request_id, method, digest, result, created_at)
      SELECT request_id, 'CreateRun', '', id::text, created_at FROM run WHERE request_id IS NOT NULL
      UNION ALL
      SELECT request_id, 'CreateSchedule', '', id::text, created_at FROM schedule WHERE request_id IS NOT NULL
      UNION ALL
      SELECT request_id, 'ImportCheckpoint', '', id::text, created_at FROM checkpoint WHERE request_id IS NOT NULL
      UNION ALL
      SELECT request_id, CASE WHEN content LIKE '["refresh"%' THEN 'RefreshDataset' ELSE 'CreateDataset' END, '', dataset_id::text, created_at
        FROM dataset_request
      UNION ALL
      SELECT request_id, 'TriggerSchedule', '', id::text, taken_at FROM tick WHERE origin = 'TICK_ORIGIN_TRIGGER' AND request_id IS NOT NULL
      UNION ALL
      SELECT request_id, 'BackfillSchedule', '', request_id, min(taken_at) FROM tick
        WHERE origin = 'TICK_ORIGIN_BACKFILL' AND request_id IS NOT NULL GROUP BY request_id
      ON CONFLICT DO NOTHING`);
    await runner.query(`ALTER TABLE run DROP COLUMN request_id`);
    await runner.query(`ALTER TABLE schedule DROP COLUMN request_id`);
    await runner.query(`ALTER TABLE checkpoint DROP COLUMN request_id`);
    await runner.query(`DROP TABLE dataset_request`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE dataset_request (
        request_id text NOT NULL,
        dataset_id uuid NOT NULL,
        content text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        CONSTRAINT dataset_request_pkey PRIMARY KEY (request_id),
        CONSTRAINT dataset_request_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
      )`);
    for (const [table, method] of [
      ['checkpoint', 'ImportCheckpoint'],
      ['schedule', 'CreateSchedule'],
      ['run', 'CreateRun'],
    ] as const) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN request_id text`);
      await runner.query(
        `UPDATE ${table} SET request_id = key.request_id FROM idempotency_key AS key WHERE key.method = $1 AND key.result = ${table}.id::text`,
        [method],
      );
      await runner.query(`ALTER TABLE ${table} ADD CONSTRAINT ${table}_request_id_key UNIQUE (request_id)`);
    }
    await runner.query(`DROP INDEX run_input_dataset_name_idx`);
    await runner.query(`DROP INDEX evaluation_headline_idx`);
    await runner.query(`DROP TABLE idempotency_key, run_metric`);
  }
}
