import { column, keyedNumber, type List, related } from '../platform/filter/index.js';

const headline = (key: string): string =>
  `evaluation.benchmark = ${key} AND evaluation."primary" AND evaluation.mode = 'plain' AND evaluation.versus = ''`;

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
      (key) =>
        `(SELECT evaluation.value FROM evaluation WHERE evaluation.checkpoint_id = checkpoint.id AND ${headline(key)}
           ORDER BY evaluation.created_at DESC, evaluation.id DESC LIMIT 1)`,
      (holds, key) =>
        `checkpoint.id IN (SELECT last_score.checkpoint_id FROM (
           SELECT DISTINCT ON (evaluation.checkpoint_id) evaluation.checkpoint_id, evaluation.value FROM evaluation WHERE ${headline(key)}
           ORDER BY evaluation.checkpoint_id, evaluation.created_at DESC, evaluation.id DESC) AS last_score
           WHERE ${holds('last_score.value')})`,
    ),
  },
};
