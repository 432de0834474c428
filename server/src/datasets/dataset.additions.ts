import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { notFound } from '../platform/errors.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { DatasetEntity, DatasetVersionEntity } from './dataset.entity.js';
import { DatasetsService, type ReadyVersion } from './datasets.service.js';
import { imageOf } from './manifest.js';

/** How many images a version has more than an earlier one, and the version that holds just those; undefined when they are too few. */
export type Additions = { readonly items: number; readonly version: ReadyVersion | undefined };

/** Versions made of others: the images that an earlier version does not have. */
@Injectable()
export class DatasetAdditions {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly store: ArtifactStore,
    private readonly datasets: DatasetsService,
  ) {}

  /** Images are told apart by content, so a renamed one is not new. Without an earlier version all are. */
  async since(earlierVersionId: string | null, now: ReadyVersion, minimum: number): Promise<Additions> {
    const known = earlierVersionId === null ? new Set<string>() : await this.contents(earlierVersionId);
    const lines: string[] = [];
    let bytes = 0;
    for await (const line of this.store.lines(now.digest)) {
      const image = imageOf(line);
      if (known.has(image.sha256)) continue;
      lines.push(`${line}\n`);
      bytes += image.bytes;
    }
    if (lines.length < minimum) return { items: lines.length, version: undefined };
    const digest = await this.store.putBlob(lines.join(''));
    return { items: lines.length, version: await this.keep(now.datasetId, digest, lines.length, bytes) };
  }

  private async contents(versionId: string): Promise<Set<string>> {
    const version = await this.database.manager.findOneBy(DatasetVersionEntity, { id: versionId });
    if (!version) throw notFound(`There is no version ${versionId}.`, 'version_id');
    const contents = new Set<string>();
    for await (const line of this.store.lines(version.digest)) contents.add(imageOf(line).sha256);
    return contents;
  }

  /** The dataset's version with this content, made when there is none. */
  private async keep(datasetId: string, digest: string, items: number, bytes: number): Promise<ReadyVersion> {
    const state = VersionState.VERSION_STATE_READY;
    const versionId = await this.database.transaction(async (manager) => {
      // Locked as at the end of an import: one content is one READY version.
      await manager.findOneOrFail(DatasetEntity, { where: { id: datasetId }, lock: { mode: 'pessimistic_write' } });
      const same = await manager.findOneBy(DatasetVersionEntity, { datasetId, state, digest });
      if (same) return same.id;
      const [lowest] = await manager.query<{ number: number }[]>(
        'SELECT least(min(number), 0) - 1 AS number FROM dataset_version WHERE dataset_id = $1',
        [datasetId],
      );
      const id = randomUUID();
      const counts = { items, done: items, total: items, bytes: String(bytes) };
      const number = lowest?.number ?? -1;
      await manager.insert(DatasetVersionEntity, { id, datasetId, number, state, digest, ...counts, createdAt: new Date() });
      return id;
    });
    return this.datasets.readyVersion(datasetId, versionId);
  }
}
