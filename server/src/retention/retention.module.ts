import { Module } from '@nestjs/common';
import { Clock, DatabaseClock } from '../platform/clock.js';
import { NightlyRetention } from './nightly.js';
import { PolicyService } from './policy.service.js';
import { RetentionController } from './retention.controller.js';
import { RetentionGrpc } from './retention.grpc.js';
import { RetentionService } from './retention.service.js';

@Module({
  providers: [{ provide: Clock, useClass: DatabaseClock }, RetentionService, PolicyService, NightlyRetention, RetentionGrpc],
  controllers: [RetentionController],
})
export class RetentionModule {}
