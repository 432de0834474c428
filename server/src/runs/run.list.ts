import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { column, enumColumn, keyedNumber, type List, map, related } from '../platform/filter/index.js';

const made = 'tick.run_id FROM tick JOIN schedule ON schedule.id = tick.schedule_id WHERE tick.run_id IS NOT NULL';
const inputs = 'run_input.run_id FROM run_input WHERE true';
export const runList: List = {
  name: 'runs',
  order: 'created_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'run.id'),
    name: column('text', 'run.name', { searched: true }),
    state: enumColumn('run.state', RunState),
    priority: column('integer', 'run.priority'),
    preset: column('text', `(run.recipe ->> 'preset')`, { nullable: true }),
    model: column('text', `(run.recipe -> 'model' ->> 'path')`, { nullable: true }),
    dataset: related('text', 'run_input.dataset_name', 'run.id', inputs),
    dataset_id: related('uuid', 'run_input.dataset_id', 'run.id', inputs),
    schedule: related('text', 'schedule.name', 'run.id', made),
    schedule_id: related('uuid', 'schedule.id', 'run.id', made),
    forked_from: column('uuid', 'run.forked_from', { nullable: true }),
    created_at: column('time', 'run.created_at'),
    started_at: column('time', 'run.started_at', { nullable: true }),
    ended_at: column('time', 'run.ended_at', { nullable: true }),
    duration: column('duration', 'CAST(extract(epoch FROM run.ended_at - run.started_at) AS double precision)', { nullable: true }),
    'requires.labels': map(`(run.requires -> 'labels')`),
    metrics: keyedNumber(
      'run.id',
      (key) => `SELECT run_metric.run_id AS owner, run_metric.value FROM run_metric WHERE run_metric.name = ${key}`,
    ),
    // Of the run's last checkpoint, answering plainly.
    scores: keyedNumber(
      'run.id',
      (key) =>
        `SELECT DISTINCT ON (evaluation.run_id) evaluation.run_id AS owner, evaluation.value FROM evaluation
         WHERE evaluation.benchmark = ${key} AND evaluation."primary" AND evaluation.mode = 'plain' AND evaluation.versus = ''
           AND evaluation.subject IN ('stage1', 'stage2') ORDER BY evaluation.run_id DESC, evaluation.subject DESC`,
    ),
  },
};
