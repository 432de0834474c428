import { GateState, MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import { column, enumColumn, type List, related } from '../platform/filter/index.js';

export const aliasList: List = {
  name: 'aliases',
  order: 'updated_at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'alias.id'),
    name: column('text', 'alias.name', { searched: true }),
    base_model_digest: column('text', 'alias.base_model_digest'),
    base_model_path: column('text', 'alias.base_model_path'),
    checkpoint_id: column('uuid', 'alias.checkpoint_id', { nullable: true }),
    version: column('integer', 'alias.version'),
    updated_at: column('time', 'alias.updated_at'),
  },
};

/** Of one alias. */
export const moveList: List = {
  name: 'moves',
  order: 'number desc',
  unique: 'number',
  fields: {
    number: column('integer', 'move.number'),
    kind: enumColumn('move.kind', MoveKind),
    from_checkpoint_id: column('uuid', 'move.from_checkpoint_id', { nullable: true }),
    to_checkpoint_id: column('uuid', 'move.to_checkpoint_id', { nullable: true }),
    actor: column('text', 'move.actor'),
    reason: column('text', 'move.reason', { searched: true }),
    at: column('time', 'move.at'),
    run_id: column('uuid', 'move.run_id', { nullable: true }),
    undoes: column('integer', 'move.undoes'),
  },
};

export const gateList: List = {
  name: 'gates',
  order: 'created_at desc',
  unique: 'run_id',
  fields: {
    run_id: column('uuid', 'gate.run_id'),
    run: related('text', 'run.name', 'gate.run_id', 'run.id FROM run WHERE true'),
    state: enumColumn('gate.state', GateState),
    alias: column('text', 'gate.alias'),
    base_model_digest: column('text', 'gate.base_model_digest'),
    candidate_id: column('uuid', 'gate.candidate_id', { nullable: true }),
    champion_id: column('uuid', 'gate.champion_id', { nullable: true }),
    mean_gain: column('number', 'gate.mean_gain'),
    decided_by: column('text', 'gate.decided_by'),
    created_at: column('time', 'gate.created_at'),
    decided_at: column('time', 'gate.decided_at', { nullable: true }),
  },
};
