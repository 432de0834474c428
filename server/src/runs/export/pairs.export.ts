import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { DataSource } from 'typeorm';
import { RunInputEntity } from '../../model/index.js';
import { DomainError } from '../../platform/errors.js';
import { ArtifactStore } from '../../platform/storage/artifact-store.js';
import { readPair } from '../pairs.js';
import { RunRecords } from '../run.records.js';
import { extensionOf, formatNamed } from './formats.js';
import type { ExportFormat } from './formats.js';

/** sha256 of an image to its path in the archive. */
type Pictures = ReadonlyMap<string, string>;

/** What is needed of an image's record in a manifest. */
type ImageFormat = { readonly sha256: string; readonly format: string };

/** A run's preference pairs with their images as a tar that other trainers read as it is. */
@Injectable()
export class PairsExport {
  constructor(
    private readonly db: DataSource,
    private readonly store: ArtifactStore,
    private readonly records: RunRecords,
  ) {}

  /** Streams the archive; nothing but one row and one chunk of an image is in memory. Refuses before the first byte. */
  async send(runId: string, formatName: string, response: Response): Promise<void> {
    const format = formatNamed(formatName);
    await this.records.exists(runId);
    const pairs = await this.records.pairsBlob(runId);
    if (pairs === undefined) throw new DomainError('FAILED_PRECONDITION', 'This run has made no pairs yet.', { field: 'run_id' });
    const pictures = await this.pictures(runId, pairs);
    response.writeHead(200, {
      'Content-Type': 'application/x-tar',
      'Content-Disposition': `attachment; filename="pairs-${formatName}-${runId.slice(0, 8)}.tar"`,
    });
    const archive = pack();
    const written = this.write(archive, format, pairs, pictures).then(
      () => archive.finalize(),
      (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    // A reader that goes away early is no fault; a broken archive is cut off, so that it cannot be taken for a whole one.
    await pipeline(archive, response).catch(() => response.destroy());
    await written;
  }

  private async write(archive: Pack, format: ExportFormat, pairs: string, pictures: Pictures): Promise<void> {
    for (const [name, content] of Object.entries(format.beside)) archive.entry({ name }, `${JSON.stringify(content, null, 2)}\n`);
    await this.writeRows(archive, format, pairs, pictures);
    for (const [sha256, name] of pictures) await this.writeBlob(archive, sha256, name);
  }

  /** Read twice: a tar entry begins with its size. */
  private async writeRows(archive: Pack, format: ExportFormat, pairs: string, pictures: Pictures): Promise<void> {
    let size = 0;
    for await (const text of this.rows(format, pairs, pictures)) size += Buffer.byteLength(text);
    await pipeline(Readable.from(this.rows(format, pairs, pictures)), archive.entry({ name: format.file, size }));
  }

  private async *rows(format: ExportFormat, pairs: string, pictures: Pictures): AsyncGenerator<string, void, undefined> {
    let before = format.layout === 'list' ? '[\n' : '';
    for await (const line of this.store.lines(pairs)) {
      const pair = readPair(line);
      yield before + JSON.stringify(format.row(pair, pictures.get(pair.imageSha256) ?? ''));
      before = format.layout === 'list' ? ',\n' : '\n';
    }
    yield format.layout === 'list' ? (before === '[\n' ? '[]\n' : '\n]\n') : '\n';
  }

  private async writeBlob(archive: Pack, sha256: string, name: string): Promise<void> {
    const path = this.store.blobPath(sha256);
    const { size } = await stat(path);
    await pipeline(createReadStream(path), archive.entry({ name, size }));
  }

  /** Original bytes under their digest: names of different folders cannot collide, the ending says what is inside. */
  private async pictures(runId: string, pairs: string): Promise<Pictures> {
    const paths = new Map<string, string>();
    const add = ({ sha256, format }: ImageFormat): unknown => paths.set(sha256, `images/${sha256}.${extensionOf(format)}`);
    const given = await this.db.manager.findOneBy(RunInputEntity, { runId, role: 'preferences' });
    if (given) {
      for await (const line of this.store.lines(given.digest)) add((JSON.parse(line) as { image: ImageFormat }).image);
      return paths;
    }
    const used = new Set<string>();
    for await (const line of this.store.lines(pairs)) used.add(readPair(line).imageSha256);
    const images = await this.db.manager.findOneByOrFail(RunInputEntity, { runId, role: 'images' });
    for await (const line of this.store.lines(images.digest)) {
      const image = JSON.parse(line) as ImageFormat;
      if (used.has(image.sha256)) add(image);
    }
    return paths;
  }
}
