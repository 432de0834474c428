import { type DynamicModule, Module } from '@nestjs/common';
import { TrainerDirectory } from './trainer-directory.js';
import { TrainerPool } from './trainer-pool.js';
import { trainersApi } from './trainers.api.js';

@Module({})
export class TrainersModule {
  static register(directory: TrainerDirectory): DynamicModule {
    return {
      module: TrainersModule,
      global: true,
      providers: [{ provide: TrainerDirectory, useValue: directory }, TrainerPool, trainersApi],
      exports: [TrainerPool],
    };
  }
}
