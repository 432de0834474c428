import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { RunInputEntity } from '../../model/index.js';
import { DomainError } from '../../platform/errors.js';
import { fileEntry, Tar, type TarEntry, sendTar } from '../../platform/http/tar.js';
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

  /** Sends the archive; nothing but one row and one chunk of an image is in memory. Refuses before the first byte. */
  async send(runId: string, formatName: string, request: Request, response: Response): Promise<void> {
    const format = formatNamed(formatName);
    await this.records.exists(runId);
    const pairs = await this.records.pairsBlob(runId);
    if (pairs === undefined) throw new DomainError('FAILED_PRECONDITION', 'This run has made no pairs yet.', { field: 'run_id' });
    const pictures = await this.pictures(runId, pairs);
    const tar = new Tar(await this.entries(format, pairs, pictures), `${formatName} ${pairs}`);
    await sendTar(tar, `pairs-${formatName}-${runId.slice(0, 8)}`, request, response);
  }

  private async entries(format: ExportFormat, pairs: string, pictures: Pictures): Promise<TarEntry[]> {
    const beside = Object.entries(format.beside).map(([name, content]): TarEntry => {
      const bytes = Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
      return { name, size: bytes.length, read: (from) => Readable.from([bytes.subarray(from)]) };
    });
    const images = [...pictures].map(([sha256, name]) => fileEntry(name, this.store.blobPath(sha256)));
    return [...beside, await this.rowsEntry(format, pairs, pictures), ...(await Promise.all(images))];
  }

  /** Read twice: a tar entry begins with its size. */
  private async rowsEntry(format: ExportFormat, pairs: string, pictures: Pictures): Promise<TarEntry> {
    let size = 0;
    for await (const text of this.rows(format, pairs, pictures)) size += Buffer.byteLength(text);
    return { name: format.file, size, read: (from) => after(from, this.rows(format, pairs, pictures)) };
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

/** Rows are made, not stored: those before an offset are made and left out. */
async function* after(offset: number, texts: AsyncIterable<string>): AsyncGenerator<Buffer, void, undefined> {
  let left = offset;
  for await (const text of texts) {
    const bytes = Buffer.from(text);
    if (bytes.length > left) yield bytes.subarray(left);
    left = Math.max(0, left - bytes.length);
  }
}
