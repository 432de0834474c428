import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse } from '@stic/api/gen/stic/audit/v1/audit.js';
import { invalid } from '../platform/errors.js';
import { paginate } from '../platform/filter/index.js';
import { AuditEntryEntity } from './audit.entity.js';
import { auditList } from './audit.list.js';

/** stic.registry.v1.AuditService. */
@Injectable()
export class AuditService {
  constructor(private readonly db: DataSource) {}

  async list(request: ListAuditEntriesRequest): Promise<ListAuditEntriesResponse> {
    const { subjectType, subjectId, action } = request;
    const query = this.db.manager.createQueryBuilder(AuditEntryEntity, 'entry');
    if (subjectType !== '') query.andWhere('entry.subjectType = :subjectType', { subjectType });
    if (subjectId !== '') query.andWhere('entry.subjectId = :subjectId', { subjectId });
    if (action !== '') query.andWhere('entry.action = :action', { action });
    if (request.from) query.andWhere('entry.at >= :from', { from: moment('from', request.from) });
    if (request.to) query.andWhere('entry.at < :to', { to: moment('to', request.to) });
    const { page, nextPageToken } = await paginate(query, auditList, request);
    return { entries: page.map(toEntry), nextPageToken };
  }
}

function moment(field: string, value: Date): Date {
  if (Number.isNaN(value.getTime())) throw invalid(field, `${field} is not a time.`, 'Write it as 2026-01-31T08:00:00Z.');
  return value;
}

function toEntry(row: AuditEntryEntity): AuditEntry {
  const { id, at, actor, action, subjectType, subjectId, subjectName, details } = row;
  return { id, at, actor, action, subjectType, subjectId, subjectName, details };
}
