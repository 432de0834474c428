import { Module } from '@nestjs/common';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';
import { RegistryController } from './registry.controller.js';
import { RegistryGrpc } from './registry.grpc.js';

@Module({ providers: [AliasesService, GatesService, RegistryGrpc], controllers: [RegistryController] })
export class RegistryModule {}
