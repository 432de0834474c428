import { Module } from '@nestjs/common';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';
import { registryApi } from './registry.api.js';

@Module({ providers: [AliasesService, GatesService, registryApi] })
export class RegistryModule {}
