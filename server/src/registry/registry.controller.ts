import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  Alias,
  ApproveGateRequest,
  Gate,
  GetAliasRequest,
  GetGateRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  ListGatesRequest,
  ListGatesResponse,
  ListMovesRequest,
  ListMovesResponse,
  MoveAliasResponse,
  RejectGateRequest,
  RollbackAliasRequest,
  SetAliasRequest,
} from '../gen/stic/registry/v1/registry.js';
import { parseMessage } from '../platform/transport/messages.js';
import { AliasesService } from './aliases.service.js';
import { GatesService } from './gates.service.js';

@Controller('api')
export class RegistryController {
  constructor(
    private readonly aliases: AliasesService,
    private readonly gates: GatesService,
  ) {}

  @Get('aliases')
  async listAliases(@Query() query: unknown): Promise<unknown> {
    return ListAliasesResponse.toJSON(await this.aliases.list(parseMessage(ListAliasesRequest, query)));
  }

  @Post('aliases')
  @HttpCode(200)
  async set(@Body() body: unknown): Promise<unknown> {
    return MoveAliasResponse.toJSON(await this.aliases.set(parseMessage(SetAliasRequest, body)));
  }

  @Get('aliases/:alias_id')
  async getAlias(@Param() path: unknown): Promise<unknown> {
    return Alias.toJSON(await this.aliases.get(parseMessage(GetAliasRequest, path)));
  }

  @Get('aliases/:alias_id/moves')
  async moves(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListMovesResponse.toJSON(await this.aliases.moves(parseMessage(ListMovesRequest, query, path)));
  }

  @Post('aliases/:alias_id/rollback')
  @HttpCode(200)
  async rollback(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return MoveAliasResponse.toJSON(await this.aliases.rollback(parseMessage(RollbackAliasRequest, body, path)));
  }

  @Get('gates')
  async listGates(@Query() query: unknown): Promise<unknown> {
    return ListGatesResponse.toJSON(await this.gates.list(parseMessage(ListGatesRequest, query)));
  }

  @Get('runs/:run_id/gate')
  async getGate(@Param() path: unknown): Promise<unknown> {
    return Gate.toJSON(await this.gates.get(parseMessage(GetGateRequest, path)));
  }

  @Post('runs/:run_id/gate/approve')
  @HttpCode(200)
  async approve(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Gate.toJSON(await this.gates.approve(parseMessage(ApproveGateRequest, body, path)));
  }

  @Post('runs/:run_id/gate/reject')
  @HttpCode(200)
  async reject(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Gate.toJSON(await this.gates.reject(parseMessage(RejectGateRequest, body, path)));
  }
}
