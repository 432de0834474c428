import { column, type List, related } from '../platform/filter/index.js';

export const evaluationList: List = {
  name: 'evaluations',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'evaluation.id'),
    run_id: column('uuid', 'evaluation.run_id'),
    run: related('text', 'run.name', 'evaluation.run_id', 'run.id FROM run WHERE true'),
    checkpoint_id: column('uuid', 'evaluation.checkpoint_id', { nullable: true }),
    benchmark: column('text', 'evaluation.benchmark'),
    metric: column('text', 'evaluation.metric'),
    subject: column('text', 'evaluation.subject'),
    mode: column('text', 'evaluation.mode'),
    primary: column('boolean', 'evaluation."primary"'),
    n: column('integer', 'evaluation.n'),
    value: column('number', 'evaluation.value'),
    difference: column('number', 'evaluation.difference'),
    low: column('number', 'evaluation.low'),
    high: column('number', 'evaluation.high'),
    created_at: column('time', 'evaluation.created_at'),
  },
};
