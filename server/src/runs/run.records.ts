import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type {
  ListLogsRequest,
  ListLogsResponse,
  ListMetricsRequest,
  ListMetricsResponse,
  ListPairsRequest,
  ListPairsResponse,
  ListSamplesRequest,
  ListSamplesResponse,
  ListSkippedRequest,
  ListSkippedResponse,
  Skipped,
} from '@stic/api/gen/stic/runs/v1/runs.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { DatasetsService } from '../datasets/index.js';
import { RunEntity, RunInputEntity, SampleEntity } from '../model/index.js';
import { nodeOf } from '../model/graph.js';
import { superseded } from '../model/metrics.js';
import { invalid, notFound } from '../platform/errors.js';
import { checkId, cut, numberPosition, pageSize, pageTokens } from '../platform/pages.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { readSeries } from './metric-series.js';
import { readPair } from './pairs.js';

const defaultBatch = 1_000;
const largestBatch = 5_000;
const fewestPoints = 4;
const mostPoints = 10_000;
const severities = ['info', 'warning', 'error'];
const rememberedBlobs = 16;

/** Refused at import first (one page walks through them by position), then what the stages have left out. */
const skippedPosition = pageTokens(z.object({ input: z.number().int().min(0), after: z.number().int().min(0) }));

type MetricRow = { id: string; attempt_id: string; kind: StageKind; name: string; step: number; value: number };
type LogRow = { id: string; kind: StageKind; number: number; at: Date; level: string; message: string };
type Counts = { readonly total: number; readonly by: Record<string, number> };

/** What a run has made, to be read page by page. */
@Injectable()
export class RunRecords {
  /** Counts of pairs blobs. They never change, hence may be remembered. */
  private readonly counts = new Map<string, Promise<Counts>>();

  constructor(
    private readonly db: DataSource,
    private readonly store: ArtifactStore,
    private readonly datasets: DatasetsService,
  ) {}

  async metrics(request: ListMetricsRequest): Promise<ListMetricsResponse> {
    await this.exists(request.runId);
    if (request.maxPoints !== 0) {
      checkRange('max_points', request.maxPoints, fewestPoints, mostPoints);
      return { metrics: [], nextCursor: '', more: false, series: await readSeries(this.db, request) };
    }
    const { after, limit } = batch(request);
    const rows = await this.db.query<MetricRow[]>(
      `SELECT metric_point.id, attempt_id, stage.kind, name, step, value
       FROM metric_point JOIN attempt ON attempt.id = attempt_id JOIN stage ON stage.id = attempt.stage_id
       WHERE metric_point.run_id = $1 AND metric_point.id > $2 ${request.allAttempts ? '' : `AND NOT ${superseded()}`}
         AND (cardinality($4::text[]) = 0 OR name = ANY($4)) AND (cardinality($5::text[]) = 0 OR stage.kind = ANY($5))
       ORDER BY metric_point.id LIMIT $3`,
      [request.runId, after, limit + 1, request.names, request.stages],
    );
    const page = rows.slice(0, limit);
    return {
      metrics: page.map((row) => ({
        attemptId: row.attempt_id,
        stage: row.kind,
        point: { name: row.name, step: row.step, value: row.value },
      })),
      nextCursor: page.at(-1)?.id ?? request.cursor,
      more: rows.length > limit,
      series: [],
    };
  }

  async logs(request: ListLogsRequest): Promise<ListLogsResponse> {
    await this.exists(request.runId);
    const { after, limit } = batch(request);
    checkRange('tail', request.tail, 0, largestBatch);
    const [order, wanted] = request.tail > 0 ? ['DESC', request.tail] : ['', limit + 1];
    const found = await this.db.query<LogRow[]>(
      `SELECT log_line.id, stage.kind, attempt.number, log_line.at, level, message
       FROM log_line JOIN attempt ON attempt.id = attempt_id JOIN stage ON stage.id = attempt.stage_id
       WHERE log_line.run_id = $1 AND log_line.id > $2 AND (cardinality($4::text[]) = 0 OR stage.kind = ANY($4))
         AND (cardinality($5::text[]) = 0 OR level = ANY($5)) AND strpos(lower(message), lower($6)) > 0
       ORDER BY log_line.id ${order} LIMIT $3`,
      [request.runId, after, wanted, request.stages, levelsFrom(request.level), request.search],
    );
    const page = request.tail > 0 ? found.reverse() : found.slice(0, limit);
    return {
      logs: page.map((row) => ({ stage: row.kind, attempt: row.number, at: row.at, line: { level: row.level, message: row.message } })),
      nextCursor: page.at(-1)?.id ?? request.cursor,
      more: request.tail === 0 && found.length > limit,
    };
  }

  async pairs(request: ListPairsRequest): Promise<ListPairsResponse> {
    await this.exists(request.runId);
    const limit = pageSize(request.pageSize);
    const after = numberPosition.decode(request.pageToken)?.after ?? 0;
    const sha256 = await this.pairsBlob(request.runId);
    if (sha256 === undefined) return { pairs: [], nextPageToken: '', total: 0, counts: {} };
    const counts = await this.countsOf(sha256);
    const found = [];
    let line = after;
    for await (const text of this.store.lines(sha256, { from: after })) {
      const pair = readPair(text);
      line += 1;
      if (request.madeBy === '' || pair.madeBy === request.madeBy) found.push({ pair, line });
      if (found.length > limit) break;
    }
    const { page, last } = cut(found, limit);
    return {
      pairs: page.map(({ pair }) => pair),
      nextPageToken: last ? numberPosition.encode({ after: last.line }) : '',
      total: request.madeBy === '' ? counts.total : (counts.by[request.madeBy] ?? 0),
      counts: counts.by,
    };
  }

  async samples({ runId }: ListSamplesRequest): Promise<ListSamplesResponse> {
    await this.exists(runId);
    const rows = await this.db.manager.find(SampleEntity, { where: { runId }, order: { id: 'ASC' } });
    return {
      samples: rows.map(({ subject, imageSha256, imageName, prompt, text }) => ({ subject, imageSha256, imageName, prompt, text })),
    };
  }

  async skipped(request: ListSkippedRequest): Promise<ListSkippedResponse> {
    await this.exists(request.runId);
    const limit = pageSize(request.pageSize);
    const inputs = await this.db.manager.find(RunInputEntity, { where: { runId: request.runId }, order: { position: 'ASC' } });
    let { input, after } = skippedPosition.decode(request.pageToken) ?? { input: 0, after: 0 };
    const found: Skipped[] = [];
    for (; input < inputs.length; input += 1, after = 0) {
      const problems = await this.datasets.problemsOf(inputs[input]?.versionId ?? '');
      const taken = problems.slice(after, after + limit - found.length);
      found.push(...taken.map((item) => ({ where: 'import', item })));
      if (after + taken.length < problems.length)
        return { skipped: found, nextPageToken: skippedPosition.encode({ input, after: after + taken.length }) };
    }
    const rows = await this.db.query<{ id: string; kind: StageKind; name: string; code: string; reason: string }[]>(
      `SELECT skipped_item.id, stage.kind, name, code, reason FROM skipped_item JOIN stage ON stage.id = stage_id
       WHERE skipped_item.run_id = $1 AND skipped_item.id > $2 ORDER BY skipped_item.id LIMIT $3`,
      [request.runId, after, limit - found.length + 1],
    );
    const page = rows.slice(0, limit - found.length);
    found.push(...page.map(({ kind, name, code, reason }) => ({ where: nodeOf(kind).word, item: { name, code, reason } })));
    const last = Number(page.at(-1)?.id ?? after);
    return { skipped: found, nextPageToken: rows.length > page.length ? skippedPosition.encode({ input, after: last }) : '' };
  }

  /** Digest of the run's pairs, which it was given or has made; undefined until it has. */
  async pairsBlob(runId: string): Promise<string | undefined> {
    const [row] = await this.db.query<{ sha256: string }[]>(
      `SELECT artifact.sha256 FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id
       WHERE artifact.run_id = $1 AND artifact.name = 'pairs' AND attempt.state = 'JOB_STATE_SUCCEEDED'
       ORDER BY attempt.number DESC LIMIT 1`,
      [runId],
    );
    if (row) return row.sha256;
    return (await this.db.manager.findOneBy(RunInputEntity, { runId, role: 'preferences' }))?.digest;
  }

  async exists(runId: string): Promise<void> {
    checkId('run_id', runId);
    if (!(await this.db.manager.existsBy(RunEntity, { id: runId }))) throw notFound(`There is no run ${runId}.`, 'run_id');
  }

  private countsOf(sha256: string): Promise<Counts> {
    const known = this.counts.get(sha256);
    if (known) return known;
    const counts = this.count(sha256);
    counts.catch(() => this.counts.delete(sha256));
    this.counts.set(sha256, counts);
    const [oldest] = this.counts.keys();
    if (this.counts.size > rememberedBlobs && oldest !== undefined) this.counts.delete(oldest);
    return counts;
  }

  private async count(sha256: string): Promise<Counts> {
    const by: Record<string, number> = {};
    let total = 0;
    for await (const line of this.store.lines(sha256)) {
      const { madeBy } = readPair(line);
      by[madeBy] = (by[madeBy] ?? 0) + 1;
      total += 1;
    }
    return { total, by };
  }
}

function checkRange(field: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(field, `${field} must be between ${least} and ${most}, not ${value}.`);
}

/** The level and those more severe; none when every line is wanted. */
function levelsFrom(level: string): string[] {
  if (level === '') return [];
  const least = severities.indexOf(level);
  if (least < 0) throw invalid('level', `level must be one of ${severities.join(', ')}.`);
  return severities.slice(least);
}

function batch({ cursor, pageSize: requested }: { cursor: string; pageSize: number }): { after: string; limit: number } {
  if (!/^\d{0,18}$/.test(cursor)) throw invalid('cursor', 'Invalid cursor.', 'Start again without a cursor.');
  return { after: cursor === '' ? '0' : cursor, limit: pageSize(requested, { usual: defaultBatch, largest: largestBatch }) };
}
