import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import {
  type CreateDatasetRequest,
  type Dataset,
  type GetDatasetRequest,
  type ListDatasetItemsRequest,
  type ListDatasetItemsResponse,
  type ListDatasetProblemsRequest,
  type ListDatasetProblemsResponse,
  type ListDatasetsRequest,
  type ListDatasetsResponse,
  type RefreshDatasetRequest,
  VersionState,
  type WatchDatasetRequest,
} from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { audit } from '../audit/index.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { checkedName } from '../platform/text.js';
import { paginate } from '../platform/filter/index.js';
import { checkId, cut, pageSize, pageTokens } from '../platform/pages.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { once, violatedConstraint } from '../platform/database/idempotency.js';
import { Changes } from '../platform/database/watch.js';
import { DatasetEntity, DatasetProblemEntity, DatasetVersionEntity } from './dataset.entity.js';
import { datasetList, problemList } from './dataset.lists.js';
import { toDataset } from './dataset.messages.js';
import { headerLines, readItem } from './manifest.js';
import { datasetTopic, IMPORTS_TOPIC } from '../model/topics.js';

/** Kinds whose source is a file that names its images. */
const namesImages: ReadonlySet<DatasetKind> = new Set([DatasetKind.DATASET_KIND_INSTRUCTIONS, DatasetKind.DATASET_KIND_PREFERENCES]);

/** Position within one version: a token keeps to the version its list began with. */
const versionPosition = pageTokens(z.object({ version: z.uuid(), after: z.number().int().min(0) }));
const problemsPosition = pageTokens(z.object({ version: z.uuid(), after: z.string() }));

/** A version that can be used as an input. */
export type ReadyVersion = Pick<DatasetVersionEntity, 'datasetId' | 'digest' | 'items' | 'skipped' | 'benchmark'> & {
  versionId: string;
  datasetName: string;
  kind: DatasetKind;
  bytes: bigint;
};

/** stic.datasets.v1.DatasetService. */
@Injectable()
export class DatasetsService {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly changes: Changes,
    private readonly store: ArtifactStore,
  ) {}

  async create(request: CreateDatasetRequest): Promise<Dataset> {
    const { name, kind, source, imageRoot, imageList } = checkCreate(request);
    const datasetId = await once(this.database, { method: 'CreateDataset', request }, async (manager) => {
      const dataset = { id: randomUUID(), name, kind, source, imageRoot, imageList, createdAt: new Date() };
      await manager.insert(DatasetEntity, dataset);
      await this.startImport(manager, dataset.id, 1);
      await audit(manager, {
        verb: 'create',
        subject: { type: 'dataset', id: dataset.id, name },
        details: { source, ...(imageList !== '' && { imageList }) },
      });
      return dataset.id;
    }).catch((error: unknown) => {
      if (violatedConstraint(error) !== 'dataset_name_key') throw error;
      throw new DomainError('ALREADY_EXISTS', `There is a dataset named "${name}" already.`, {
        field: 'name',
        hint: 'Choose another name, or refresh the existing dataset.',
      });
    });
    return this.get({ datasetId });
  }

  async refresh(request: RefreshDatasetRequest): Promise<Dataset> {
    const { datasetId } = request;
    checkId('dataset_id', datasetId);
    await once(this.database, { method: 'RefreshDataset', request }, async (manager) => {
      // Locked, so that two refreshes at once agree on whether one is under way.
      const dataset = await manager.findOne(DatasetEntity, { where: { id: datasetId }, lock: { mode: 'pessimistic_write' } });
      if (!dataset) throw noDataset(datasetId);
      const latest = (await latestVersions(manager, [datasetId])).get(datasetId);
      if (latest?.state !== VersionState.VERSION_STATE_IMPORTING) {
        await this.startImport(manager, datasetId, (latest?.number ?? 0) + 1);
        await audit(manager, { verb: 'refresh', subject: { type: 'dataset', id: datasetId, name: dataset.name } });
      }
      return datasetId;
    });
    return this.get({ datasetId });
  }

  async get({ datasetId }: GetDatasetRequest): Promise<Dataset> {
    checkId('dataset_id', datasetId);
    const row = await this.database.manager.findOneBy(DatasetEntity, { id: datasetId });
    if (!row) throw noDataset(datasetId);
    const latest = await latestVersions(this.database.manager, [datasetId]);
    return toDataset(row, latest.get(datasetId));
  }

  async list(request: ListDatasetsRequest): Promise<ListDatasetsResponse> {
    const query = this.database.manager.createQueryBuilder(DatasetEntity, 'dataset');
    if (request.kind !== DatasetKind.DATASET_KIND_UNSPECIFIED) query.andWhere('dataset.kind = :kind', { kind: request.kind });
    const { page, nextPageToken } = await paginate(query, datasetList, request);
    const ids = page.map(({ id }) => id);
    const latest = await latestVersions(this.database.manager, ids);
    return { datasets: page.map((row) => toDataset(row, latest.get(row.id))), nextPageToken };
  }

  watch(request: WatchDatasetRequest, signal: AbortSignal): AsyncIterable<Dataset> {
    return this.changes.watch(datasetTopic(request.datasetId), () => this.get(request), {
      until: ({ latest }) => latest?.state !== VersionState.VERSION_STATE_IMPORTING,
      signal,
    });
  }

  async listItems(request: ListDatasetItemsRequest): Promise<ListDatasetItemsResponse> {
    const limit = pageSize(request.pageSize);
    const { version, after } = await this.place(request);
    const dataset = await this.database.manager.findOneByOrFail(DatasetEntity, { id: version.datasetId });
    if (version.state !== VersionState.VERSION_STATE_READY) return { items: [], nextPageToken: '' };
    const items = [];
    const from = headerLines(dataset.kind) + after;
    for await (const line of this.store.lines(version.digest, { from, limit: limit + 1 })) items.push(readItem(dataset.kind, line));
    const { page, last } = cut(items, limit);
    return { items: page, nextPageToken: last ? versionPosition.encode({ version: version.id, after: after + limit }) : '' };
  }

  async listProblems(request: ListDatasetProblemsRequest): Promise<ListDatasetProblemsResponse> {
    const begun = problemsPosition.decode(request.pageToken);
    const { version } = await this.place({ ...request, versionId: begun?.version ?? request.versionId, pageToken: '' });
    const query = this.database.manager
      .createQueryBuilder(DatasetProblemEntity, 'problem')
      .where('problem.versionId = :id', { id: version.id });
    const { page, nextPageToken } = await paginate(query, problemList, { ...request, pageToken: begun?.after ?? '' });
    return {
      problems: page.map(({ name, code, reason }) => ({ name, code, reason })),
      nextPageToken: nextPageToken === '' ? '' : problemsPosition.encode({ version: version.id, after: nextPageToken }),
    };
  }

  /** The given version, or the latest READY one when `versionId` is empty; FAILED_PRECONDITION when it is not READY. */
  async readyVersion(datasetId: string, versionId = ''): Promise<ReadyVersion> {
    checkId('dataset_id', datasetId);
    if (versionId !== '') checkId('version_id', versionId);
    const dataset = await this.database.manager.findOneBy(DatasetEntity, { id: datasetId });
    if (!dataset) throw noDataset(datasetId);
    const state = VersionState.VERSION_STATE_READY;
    const version = await this.database.manager.findOne(DatasetVersionEntity, {
      where: versionId === '' ? { datasetId, state } : { datasetId, state, id: versionId },
      order: { number: 'DESC' },
    });
    if (!version) throw notReady(dataset.name, (await latestVersions(this.database.manager, [datasetId])).get(datasetId));
    const { digest, items, skipped, bytes, benchmark } = version;
    const { name: datasetName, kind } = dataset;
    return { datasetId, datasetName, kind, versionId: version.id, digest, items, skipped, bytes: BigInt(bytes), benchmark };
  }

  /** Items of a version that were refused at import. */
  async problemsOf(versionId: string): Promise<{ name: string; code: string; reason: string }[]> {
    return this.database.manager.find(DatasetProblemEntity, { where: { versionId }, order: { position: 'ASC' } });
  }

  private async startImport(manager: EntityManager, datasetId: string, number: number): Promise<void> {
    const state = VersionState.VERSION_STATE_IMPORTING;
    await manager.insert(DatasetVersionEntity, { id: randomUUID(), datasetId, number, state, createdAt: new Date() });
    await this.changes.notify(manager, datasetTopic(datasetId));
    await this.changes.notify(manager, IMPORTS_TOPIC);
  }

  /** Where a list of a version's parts goes on. */
  private async place(request: {
    datasetId: string;
    versionId: string;
    pageToken: string;
  }): Promise<{ version: DatasetVersionEntity; after: number }> {
    checkId('dataset_id', request.datasetId);
    if (request.versionId !== '') checkId('version_id', request.versionId);
    const position = versionPosition.decode(request.pageToken);
    const id = position?.version ?? request.versionId;
    const { datasetId } = request;
    const where = id === '' ? { datasetId } : { datasetId, id };
    const version = await this.database.manager.findOne(DatasetVersionEntity, { where, order: { number: 'DESC' } });
    if (!version) throw id === '' ? noDataset(datasetId) : notFound(`Dataset ${datasetId} has no version ${id}.`, 'version_id');
    return { version, after: position?.after ?? 0 };
  }
}

function checkCreate(request: CreateDatasetRequest): CreateDatasetRequest {
  const name = checkedName('name', request.name);
  if (request.kind === DatasetKind.DATASET_KIND_UNSPECIFIED || request.kind === DatasetKind.UNRECOGNIZED) {
    throw invalid('kind', 'Say what the dataset holds: images, instructions, preferences or a benchmark.');
  }
  checkPath('source', request.source);
  if (request.imageRoot !== '') {
    if (!namesImages.has(request.kind)) {
      throw invalid(
        'image_root',
        'image_root belongs to instructions and preferences; other kinds have their images in the source folder.',
      );
    }
    checkPath('image_root', request.imageRoot);
  }
  if (request.imageList !== '') {
    if (request.kind !== DatasetKind.DATASET_KIND_IMAGES) {
      throw invalid('image_list', 'image_list belongs to images; other kinds name the images that they use.');
    }
    checkPath('image_list', request.imageList);
  }
  return { ...request, name };
}

function checkPath(field: string, value: string): void {
  if (!path.isAbsolute(value)) {
    throw invalid(
      field,
      `${field} must be an absolute path, not "${shown(value)}".`,
      'It is read by the trainer, whose own folder is another one.',
    );
  }
  if (value.includes('\0')) throw invalid(field, `${field} is not a path.`);
}

/** The newest version of each dataset. */
async function latestVersions(manager: EntityManager, datasetIds: string[]): Promise<Map<string, DatasetVersionEntity>> {
  if (datasetIds.length === 0) return new Map();
  const rows = await manager
    .createQueryBuilder(DatasetVersionEntity, 'version')
    .distinctOn(['version.datasetId'])
    .where('version.datasetId IN (:...datasetIds)', { datasetIds })
    .orderBy('version.datasetId')
    .addOrderBy('version.number', 'DESC')
    .getMany();
  return new Map(rows.map((row) => [row.datasetId, row]));
}

const noDataset = (id: string): DomainError => notFound(`There is no dataset ${id}.`, 'dataset_id');

function notReady(name: string, latest: DatasetVersionEntity | undefined): DomainError {
  const because =
    latest?.state === VersionState.VERSION_STATE_FAILED
      ? `its import failed: ${latest.error}`
      : 'it is still being imported or has no such version.';
  return new DomainError('FAILED_PRECONDITION', `The dataset "${name}" cannot be used: ${because}`, { field: 'dataset_id' });
}
