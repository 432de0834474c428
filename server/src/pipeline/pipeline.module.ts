import { Global, Module } from '@nestjs/common';
import { CONFIG } from '../platform/config/config.js';
import type { Config } from '../platform/config/config.js';
import { Reconciler } from './reconciler/reconciler.service.js';
import { loadPresets } from '../recipe/presets.js';

/** Injection token of the presets, read once at start: one that does not load stops the server with its reason. */
export const PRESETS = Symbol('PRESETS');

@Global()
@Module({
  providers: [
    { provide: PRESETS, inject: [CONFIG], useFactory: ({ paths }: Config) => loadPresets(paths.recipes, paths.prompts) },
    Reconciler,
  ],
  exports: [PRESETS],
})
export class PipelineModule {}
