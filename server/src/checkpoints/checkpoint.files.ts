import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { DomainError } from '../platform/errors.js';
import type { GetMergedExportRequest } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { MergedExports } from './merged.service.js';
import { CheckpointsService } from './checkpoints.service.js';

const BLOCK = 512;

/** A checkpoint's folders as tars: the adapter in PEFT's format, and the merged model. */
@Injectable()
export class CheckpointFiles {
  constructor(
    private readonly checkpoints: CheckpointsService,
    private readonly merged: MergedExports,
    private readonly store: ArtifactStore,
  ) {}

  async send(checkpointId: string, response: Response): Promise<void> {
    const { path: folder, name, adapterSha256 } = await this.checkpoints.get({ checkpointId });
    await sendFolder(folder, `${name}-${adapterSha256.slice(0, 12)}`, response);
  }

  async sendMerged(request: GetMergedExportRequest, response: Response): Promise<void> {
    const { state, sha256 } = await this.merged.get(request);
    if (state !== MergedState.MERGED_STATE_READY) {
      throw new DomainError('FAILED_PRECONDITION', 'The merged model is not there yet.', {
        hint: 'Start it with POST .../merge, and wait until its state is MERGED_STATE_READY.',
      });
    }
    const { name } = await this.checkpoints.get(request);
    await sendFolder(this.store.treePath(sha256), `${name}-merged-${sha256.slice(0, 12)}`, response);
  }
}

async function sendFolder(folder: string, name: string, response: Response): Promise<void> {
  const files = await filesBelow(folder);
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(folder, file))).size));
  response.writeHead(200, {
    'Content-Type': 'application/x-tar',
    'Content-Length': sizes.reduce((sum, size) => sum + BLOCK + Math.ceil(size / BLOCK) * BLOCK, 2 * BLOCK),
    'Content-Disposition': `attachment; filename="${name}.tar"`,
  });
  const archive = pack();
  const written = write(archive, folder, files).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  // Cut off rather than ended: half an archive must not look like a whole one.
  await pipeline(archive, response).catch(() => response.destroy());
  await written;
}

async function write(archive: Pack, folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const { size } = await stat(path.join(folder, file));
    await pipeline(createReadStream(path.join(folder, file)), archive.entry({ name: file.split(path.sep).join('/'), size }));
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    throw new DomainError('NOT_FOUND', 'The artifact store does not hold this adapter any more.', { cause: error });
  }
}
