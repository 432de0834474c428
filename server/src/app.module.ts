import { type DynamicModule, Module } from '@nestjs/common';
import { migrations } from '../../migrations/index.js';
import { AuditEntryEntity, AuditModule } from './audit/index.js';
import { CheckpointsModule } from './checkpoints/index.js';
import { datasetEntities, DatasetsModule } from './datasets/index.js';
import { EvaluationsModule } from './evaluations/index.js';
import { pipelineEntities } from './model/index.js';
import { PipelineModule } from './pipeline/index.js';
import { ApiModule } from './platform/api/api.module.js';
import type { Config } from './platform/config/config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { IdempotencyKeyEntity } from './platform/database/idempotency.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { HttpModule } from './platform/http/http.module.js';
import { StorageModule } from './platform/storage/storage.module.js';
import { RegistryModule, registryEntities } from './registry/index.js';
import { retentionEntities, RetentionModule } from './retention/index.js';
import { RunsModule } from './runs/index.js';
import { scheduleEntities, SchedulesModule } from './schedules/index.js';
import { type TrainerDirectory, TrainersModule } from './trainers/index.js';
import { WebhooksModule, webhookEntities } from './webhooks/index.js';

/** All tables; a test compares them with what the migrations make. */
export const entities = [
  ...datasetEntities,
  ...pipelineEntities,
  ...scheduleEntities,
  ...registryEntities,
  ...webhookEntities,
  ...retentionEntities,
  AuditEntryEntity,
  IdempotencyKeyEntity,
];

export type AppOptions = { config: Config; databaseUrl: string; trainers: TrainerDirectory };

@Module({})
export class AppModule {
  static register({ config, databaseUrl, trainers }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(config),
        DatabaseModule.register({ url: databaseUrl, entities, migrations }),
        StorageModule,
        ApiModule,
        HttpModule,
        TrainersModule.register(trainers),
        DatasetsModule,
        PipelineModule,
        RunsModule,
        SchedulesModule,
        CheckpointsModule,
        EvaluationsModule,
        RegistryModule,
        RetentionModule,
        AuditModule,
        WebhooksModule,
      ],
    };
  }
}
