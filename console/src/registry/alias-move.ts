import { registry, runs, schedules } from '../api/clients';

/** What the move of an alias, or a gate's decision, may change. */
export const aliasMove = [
  registry.listAliases,
  registry.listMoves,
  registry.listGates,
  registry.getGate,
  runs.getRun,
  schedules.listSchedules,
  schedules.listTicks,
];
