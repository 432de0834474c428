import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Schedules, and the ticks that say what became of each of their times. */
export class Schedules1764000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE schedule (
        id uuid NOT NULL,
        request_id text,
        name text NOT NULL,
        spec jsonb NOT NULL,
        recipe_digest text NOT NULL,
        paused_at timestamptz,
        pause_reason text NOT NULL DEFAULT '',
        failures integer NOT NULL DEFAULT 0,
        next_at timestamptz,
        due_at timestamptz,
        decided_at timestamptz NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT schedule_pkey PRIMARY KEY (id),
        CONSTRAINT schedule_request_id_key UNIQUE (request_id),
        CONSTRAINT schedule_name_key UNIQUE (name)
      )`);
    await runner.query(`CREATE INDEX schedule_created_at_id_idx ON schedule (created_at, id)`);
    await runner.query(`CREATE INDEX schedule_due_at_idx ON schedule (due_at) WHERE due_at IS NOT NULL`);
    await runner.query(`
      CREATE TABLE tick (
        id uuid NOT NULL,
        position bigserial NOT NULL,
        schedule_id uuid NOT NULL,
        request_id text,
        origin text NOT NULL,
        nominal_at timestamptz(3) NOT NULL,
        due_at timestamptz NOT NULL,
        taken_at timestamptz NOT NULL,
        look_at timestamptz NOT NULL,
        fired_at timestamptz,
        ended_at timestamptz,
        state text NOT NULL,
        reason text NOT NULL DEFAULT 'TICK_REASON_UNSPECIFIED',
        message text NOT NULL DEFAULT '',
        inputs jsonb,
        seen_version_id uuid,
        run_id uuid,
        CONSTRAINT tick_pkey PRIMARY KEY (id),
        CONSTRAINT tick_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES schedule (id) ON DELETE CASCADE,
        CONSTRAINT tick_run_id_fkey FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE SET NULL
      )`);
    await runner.query(`CREATE UNIQUE INDEX tick_once_idx ON tick (schedule_id, nominal_at) WHERE state <> 'TICK_STATE_SKIPPED'`);
    await runner.query(`CREATE INDEX tick_id_nominal_at_schedule_id_idx ON tick (schedule_id, nominal_at, id)`);
    await runner.query(`CREATE INDEX tick_open_idx ON tick (state, look_at) WHERE ended_at IS NULL`);
    await runner.query(`CREATE INDEX tick_run_id_idx ON tick (run_id)`);
    await runner.query(`CREATE INDEX tick_request_id_idx ON tick (schedule_id, request_id) WHERE request_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tick, schedule');
  }
}
