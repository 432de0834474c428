import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { RegistryServiceService } from '../gen/stic/registry/v1/registry.js';
import type { RegistryServiceServer } from '../gen/stic/registry/v1/registry.js';
import { GrpcServer, unary } from '../platform/transport/grpc-server.js';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';

@Injectable()
export class RegistryGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly aliases: AliasesService,
    private readonly gates: GatesService,
  ) {}

  onModuleInit(): void {
    const { aliases, gates } = this;
    const implementation: RegistryServiceServer = {
      getAlias: unary((request) => aliases.get(request)),
      listAliases: unary((request) => aliases.list(request)),
      listMoves: unary((request) => aliases.moves(request)),
      setAlias: unary((request) => aliases.set(request)),
      rollbackAlias: unary((request) => aliases.rollback(request)),
      getGate: unary((request) => gates.get(request)),
      listGates: unary((request) => gates.list(request)),
      approveGate: unary((request) => gates.approve(request)),
      rejectGate: unary((request) => gates.reject(request)),
    };
    this.server.add(RegistryServiceService, implementation);
  }
}
