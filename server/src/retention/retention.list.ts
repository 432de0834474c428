import { column, type List } from '../platform/filter/index.js';

export const applicationList: List = {
  name: 'retention applications',
  order: 'at desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'one.id'),
    at: column('time', 'one.at'),
    actor: column('text', 'one.actor', { searched: true }),
    freed: column('integer', 'one.freed'),
    deliveries: column('integer', 'one.deliveries'),
    ticks: column('integer', 'one.ticks'),
  },
};
