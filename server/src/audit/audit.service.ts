import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse } from '@stic/api/gen/stic/audit/v1/audit.js';
import { invalid } from '../platform/errors.js';
import { cut, pageSize, timePosition } from '../platform/pages.js';
import { AuditEntryEntity } from './audit.entity.js';

/** stic.registry.v1.AuditService. */
@Injectable()
export class AuditService {
  constructor(private readonly db: DataSource) {}

  async list(request: ListAuditEntriesRequest): Promise<ListAuditEntriesResponse> {
    const limit = pageSize(request.pageSize);
    const position = timePosition.decode(request.pageToken);
    const { subjectType, subjectId, action } = request;
    const query = this.db.manager.createQueryBuilder(AuditEntryEntity, 'entry').orderBy({ 'entry.at': 'DESC', 'entry.id': 'DESC' });
    if (subjectType !== '') query.andWhere('entry.subjectType = :subjectType', { subjectType });
    if (subjectId !== '') query.andWhere('entry.subjectId = :subjectId', { subjectId });
    if (action !== '') query.andWhere('entry.action = :action', { action });
    if (request.from) query.andWhere('entry.at >= :from', { from: moment('from', request.from) });
    if (request.to) query.andWhere('entry.at < :to', { to: moment('to', request.to) });
    if (position) query.andWhere('(entry.at, entry.id) < (:at, :id)', position);
    const { page, last } = cut(await query.limit(limit + 1).getMany(), limit);
    return { entries: page.map(toEntry), nextPageToken: last ? timePosition.encode({ at: last.at.toISOString(), id: last.id }) : '' };
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
