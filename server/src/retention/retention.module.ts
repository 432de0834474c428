import { Module } from '@nestjs/common';
import { RetentionController } from './retention.controller.js';
import { RetentionGrpc } from './retention.grpc.js';
import { RetentionService } from './retention.service.js';

@Module({ providers: [RetentionService, RetentionGrpc], controllers: [RetentionController] })
export class RetentionModule {}
