import { Controller, Get, Query } from '@nestjs/common';
import { ListAuditEntriesRequest, ListAuditEntriesResponse } from '../gen/stic/registry/v1/audit.js';
import { parseMessage } from '../platform/transport/messages.js';
import { AuditService } from './audit.service.js';

@Controller('api/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  async list(@Query() query: unknown): Promise<unknown> {
    return ListAuditEntriesResponse.toJSON(await this.audit.list(parseMessage(ListAuditEntriesRequest, query)));
  }
}
