// A database of many runs, made by SQL: the newest are whole (six stages, attempts, seven artifacts, scores), the others have their row.
const KINDS = ['PREFER', 'DPO', 'DESCRIBE', 'INFUSE', 'SFT', 'EVALUATE'];

/** Fills an empty database with ended runs, the newest `whole` of them with all their parts. */
export async function fill(client, { runs, whole, recipe }) {
  await client.query(
    `INSERT INTO run (id, name, state, recipe, recipe_digest, created_at, started_at, ended_at)
     SELECT gen_random_uuid(), 'night ' || n, CASE WHEN n % 20 = 0 THEN 'RUN_STATE_FAILED' ELSE 'RUN_STATE_SUCCEEDED' END,
       jsonb_set($2::jsonb, '{seed}', to_jsonb(n)), encode(sha256(n::text::bytea), 'hex'), at, at, at + interval '1 hour'
     FROM generate_series(1, $1::integer) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at) AS moment`,
    [runs, JSON.stringify(recipe)],
  );
  await client.query('CREATE TEMPORARY TABLE newest AS SELECT id, ended_at FROM run ORDER BY created_at DESC LIMIT $1', [whole]);
  await client.query(
    `INSERT INTO run_input (run_id, position, role, dataset_id, dataset_name, version_id, digest, items, skipped, benchmark)
     SELECT id, position, role, gen_random_uuid(), role || ' of the lab', gen_random_uuid(), encode(sha256(role::bytea), 'hex'), 10000, 3, ''
     FROM newest, unnest(ARRAY['images', 'instructions', 'benchmark']) WITH ORDINALITY AS input (role, position)`,
  );
  await client.query(
    `INSERT INTO stage (id, run_id, position, kind, state, after, progress, started_at, ended_at)
     SELECT gen_random_uuid(), id, position, 'STAGE_KIND_' || kind, 'STAGE_STATE_SUCCEEDED', '["STAGE_KIND_PREFER"]',
       '{"unit": "steps", "done": 400, "total": 400, "eta_seconds": 0, "phase": "training"}', ended_at - interval '1 hour', ended_at
     FROM newest, unnest($1::text[]) WITH ORDINALITY AS node (kind, position)`,
    [KINDS],
  );
  await client.query(
    `INSERT INTO attempt (id, stage_id, number, state, trainer, device, dtype, facts, last_seq, started_at, ended_at)
     SELECT gen_random_uuid(), stage.id, 1, 'JOB_STATE_SUCCEEDED', 'gpu-01.lab:7000', 'cuda:0', 'bfloat16',
       '{"commit": "0123456789abcdef0123456789abcdef01234567", "torch": "2.9.1", "transformers": "4.57.1", "peft": "0.18.0"}', 900,
       stage.started_at, stage.ended_at FROM stage`,
  );
  await client.query(
    `INSERT INTO artifact (attempt_id, seq, run_id, stage_id, name, kind, sha256, bytes, media_type, items, metadata)
     SELECT attempt.id, part, run_id, stage.id, 'artifact-' || part, 'ARTIFACT_KIND_BLOB', encode(sha256(attempt.id::text::bytea), 'hex'),
       123456, 'application/jsonl', 400, '{"template_hash": "0123456789abcdef", "rows": "400"}'
     FROM attempt JOIN stage ON stage.id = stage_id, generate_series(1, 2) AS part
     WHERE part = 1 OR kind = 'STAGE_KIND_EVALUATE'`,
  );
  await client.query(
    `INSERT INTO evaluation (id, run_id, seq, benchmark, metric, subject, mode, "primary", higher_is_better, n, value, difference, low, high,
       majority, created_at)
     SELECT gen_random_uuid(), id, seq, 'pope', 'accuracy', subject, 'plain', true, true, 500, 80, 1, -1, 3, -1, ended_at
     FROM newest, unnest(ARRAY['base', 'stage1', 'stage2']) WITH ORDINALITY AS subject (subject, seq)`,
  );
  await client.query('DROP TABLE newest');
  await client.query('ANALYZE');
}

/** Runs that wait and that nothing takes; the ids. */
export async function queue(client, count) {
  const { rows } = await client.query(
    `INSERT INTO run (id, name, state, recipe, recipe_digest, created_at)
     SELECT gen_random_uuid(), 'queued ' || n, 'RUN_STATE_QUEUED', '{}', '', timestamptz '2020-01-01' + n * interval '1 second'
     FROM generate_series(1, $1::integer) AS n RETURNING id`,
    [count],
  );
  await client.query('ANALYZE run');
  return rows.map(({ id }) => id);
}
