import { Module } from '@nestjs/common';
import { BlobsController } from './blobs.controller.js';
import { HealthController } from './health.controller.js';

@Module({ controllers: [BlobsController, HealthController] })
export class HttpModule {}
