import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { ArtifactStore } from './artifact-store.js';

@Global()
@Module({
  providers: [{ provide: ArtifactStore, inject: [CONFIG], useFactory: (config: Config) => ArtifactStore.open(config.store) }],
  exports: [ArtifactStore],
})
export class StorageModule {}
