import { column, keyedNumber, type List, related } from '../platform/filter/index.js';

export const checkpointList: List = {
  name: 'checkpoints',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'checkpoint.id'),
    name: column('text', 'checkpoint.name', { searched: true }),
    run_id: column('uuid', 'checkpoint.run_id', { nullable: true }),
    run: related('text', 'run.name', 'checkpoint.run_id', 'run.id FROM run WHERE true'),
    parent_id: column('uuid', 'checkpoint.parent_id', { nullable: true }),
    base_model_path: column('text', 'checkpoint.base_model_path'),
    base_model_digest: column('text', 'checkpoint.base_model_digest'),
    adapter_sha256: column('text', 'checkpoint.adapter_sha256'),
    bytes: column('integer', 'checkpoint.bytes'),
    created_at: column('time', 'checkpoint.created_at'),
    pinned_at: column('time', 'checkpoint.pinned_at', { nullable: true }),
    deleted_at: column('time', 'checkpoint.deleted_at', { nullable: true }),
    imported_from: column('text', 'checkpoint.imported_from', { nullable: true }),
    // Scored by later runs too, as their champion: the newest score counts.
    scores: keyedNumber(
      'checkpoint.id',
      (key) =>
        `SELECT DISTINCT ON (evaluation.checkpoint_id) evaluation.checkpoint_id AS owner, evaluation.value FROM evaluation
         WHERE evaluation.benchmark = ${key} AND evaluation."primary" AND evaluation.mode = 'plain' AND evaluation.versus = ''
           AND evaluation.checkpoint_id IS NOT NULL
         ORDER BY evaluation.checkpoint_id, evaluation.created_at DESC, evaluation.id DESC`,
    ),
  },
};
