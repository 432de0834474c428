import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import {
  CreateEndpointRequest,
  DeleteEndpointRequest,
  DeleteEndpointResponse,
  Delivery,
  Endpoint,
  EndpointWithSecret,
  GetEndpointRequest,
  ListDeliveriesRequest,
  ListDeliveriesResponse,
  ListEndpointsRequest,
  ListEndpointsResponse,
  RedeliverRequest,
  RotateSecretRequest,
  TestEndpointRequest,
  UpdateEndpointRequest,
} from '../gen/stic/webhooks/v1/webhooks.js';
import { parseMessage } from '../platform/transport/messages.js';
import { WebhooksService } from './webhooks.service.js';

@Controller('api/webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get('endpoints')
  async list(@Query() query: unknown): Promise<unknown> {
    return ListEndpointsResponse.toJSON(await this.webhooks.list(parseMessage(ListEndpointsRequest, query)));
  }

  @Post('endpoints')
  async create(@Body() body: unknown): Promise<unknown> {
    return EndpointWithSecret.toJSON(await this.webhooks.create(parseMessage(CreateEndpointRequest, body)));
  }

  @Get('endpoints/:endpoint_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Endpoint.toJSON(await this.webhooks.get(parseMessage(GetEndpointRequest, path)));
  }

  @Put('endpoints/:endpoint_id')
  async update(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Endpoint.toJSON(await this.webhooks.update(parseMessage(UpdateEndpointRequest, body, path)));
  }

  @Delete('endpoints/:endpoint_id')
  async delete(@Param() path: unknown): Promise<unknown> {
    return DeleteEndpointResponse.toJSON(await this.webhooks.delete(parseMessage(DeleteEndpointRequest, path)));
  }

  @Post('endpoints/:endpoint_id/rotate')
  @HttpCode(200)
  async rotate(@Param() path: unknown): Promise<unknown> {
    return EndpointWithSecret.toJSON(await this.webhooks.rotate(parseMessage(RotateSecretRequest, path)));
  }

  @Post('endpoints/:endpoint_id/test')
  @HttpCode(200)
  async test(@Param() path: unknown): Promise<unknown> {
    return Delivery.toJSON(await this.webhooks.test(parseMessage(TestEndpointRequest, path)));
  }

  @Get('deliveries')
  async deliveries(@Query() query: unknown): Promise<unknown> {
    return ListDeliveriesResponse.toJSON(await this.webhooks.deliveries(parseMessage(ListDeliveriesRequest, query)));
  }

  @Post('deliveries/:delivery_id/redeliver')
  @HttpCode(200)
  async redeliver(@Param() path: unknown): Promise<unknown> {
    return Delivery.toJSON(await this.webhooks.redeliver(parseMessage(RedeliverRequest, path)));
  }
}
