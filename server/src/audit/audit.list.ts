import { column, type List, map } from '../platform/filter/index.js';

export const auditList: List = {
  name: 'audit',
  order: 'at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'entry.id'),
    at: column('time', 'entry.at'),
    actor: column('text', 'entry.actor', { searched: true }),
    action: column('text', 'entry.action', { searched: true }),
    subject_type: column('text', 'entry.subject_type'),
    subject_id: column('text', 'entry.subject_id'),
    subject_name: column('text', 'entry.subject_name', { searched: true }),
    details: map('entry.details'),
  },
};
