import { Global, Module } from '@nestjs/common';
import { GrpcDoor } from './grpc-door.js';
import { GrpcHealth } from './grpc-health.js';
import { HttpDoor } from './http-door.js';
import { ApiRouter } from './router.js';

@Global()
@Module({ providers: [ApiRouter, GrpcDoor, GrpcHealth, HttpDoor], exports: [ApiRouter] })
export class ApiModule {}
