import { Module } from '@nestjs/common';
import { Clock, DatabaseClock } from '../platform/clock.js';
import { NightlyRetention } from './nightly.js';
import { PolicyService } from './policy.service.js';
import { retentionApi } from './retention.api.js';
import { RetentionService } from './retention.service.js';

@Module({
  providers: [{ provide: Clock, useClass: DatabaseClock }, RetentionService, PolicyService, NightlyRetention, retentionApi],
})
export class RetentionModule {}
