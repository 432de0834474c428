import { RegistryServiceDefinition } from '@stic/api/gen/stic/registry/v1/registry.js';
import { serves } from '../platform/api/serves.js';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';

export const registryApi = serves(RegistryServiceDefinition, [AliasesService, GatesService], (aliases, gates) => ({
  getAlias: (request) => aliases.get(request),
  listAliases: (request) => aliases.list(request),
  listMoves: (request) => aliases.moves(request),
  setAlias: (request) => aliases.set(request),
  rollbackAlias: (request) => aliases.rollback(request),
  getGate: (request) => gates.get(request),
  listGates: (request) => gates.list(request),
  approveGate: (request) => gates.approve(request),
  rejectGate: (request) => gates.reject(request),
}));
