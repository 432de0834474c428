import { Module } from '@nestjs/common';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';
import { PromotionController } from './promotion.controller.js';
import { PromotionGrpc } from './promotion.grpc.js';

@Module({ providers: [AliasesService, GatesService, PromotionGrpc], controllers: [PromotionController] })
export class PromotionModule {}
