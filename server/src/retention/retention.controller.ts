import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApplyRetentionRequest,
  ApplyRetentionResponse,
  ListOrphansRequest,
  ListOrphansResponse,
  ListRetentionApplicationsRequest,
  ListRetentionApplicationsResponse,
  PinCheckpointRequest,
  PinCheckpointResponse,
  PlanRetentionRequest,
  RemoveOrphansRequest,
  RemoveOrphansResponse,
  RetentionPlan,
  RetentionPolicy,
  SetRetentionPolicyRequest,
} from '../gen/stic/retention/v1/retention.js';
import { parseMessage } from '../platform/transport/messages.js';
import { PolicyService } from './policy.service.js';
import { RetentionService } from './retention.service.js';

@Controller('api')
export class RetentionController {
  constructor(
    private readonly retention: RetentionService,
    private readonly policies: PolicyService,
  ) {}

  /** A POST although it changes nothing: rules are a message, which a query cannot hold. */
  @Post('retention/plan')
  @HttpCode(200)
  async plan(@Body() body: unknown): Promise<unknown> {
    return RetentionPlan.toJSON(await this.retention.plan(parseMessage(PlanRetentionRequest, body)));
  }

  @Post('retention/apply')
  @HttpCode(200)
  async apply(@Body() body: unknown): Promise<unknown> {
    return ApplyRetentionResponse.toJSON(await this.retention.apply(parseMessage(ApplyRetentionRequest, body)));
  }

  @Get('retention/orphans')
  async orphans(@Query() query: unknown): Promise<unknown> {
    return ListOrphansResponse.toJSON(await this.retention.orphans(parseMessage(ListOrphansRequest, query)));
  }

  @Post('retention/orphans/remove')
  @HttpCode(200)
  async removeOrphans(@Body() body: unknown): Promise<unknown> {
    return RemoveOrphansResponse.toJSON(await this.retention.removeOrphans(parseMessage(RemoveOrphansRequest, body)));
  }

  @Get('retention/policy')
  async policy(): Promise<unknown> {
    return RetentionPolicy.toJSON(await this.policies.get());
  }

  @Post('retention/policy')
  @HttpCode(200)
  async setPolicy(@Body() body: unknown): Promise<unknown> {
    return RetentionPolicy.toJSON(await this.policies.set(parseMessage(SetRetentionPolicyRequest, body)));
  }

  @Get('retention/applications')
  async applications(@Query() query: unknown): Promise<unknown> {
    return ListRetentionApplicationsResponse.toJSON(
      await this.policies.applications(parseMessage(ListRetentionApplicationsRequest, query)),
    );
  }

  @Post('checkpoints/:checkpoint_id/pin')
  @HttpCode(200)
  async pin(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return PinCheckpointResponse.toJSON(await this.retention.pin(parseMessage(PinCheckpointRequest, body, path)));
  }
}
