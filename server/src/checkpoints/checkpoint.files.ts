import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError } from '../platform/errors.js';
import { fileEntry, sendTar, Tar } from '../platform/http/tar.js';
import type { GetMergedExportRequest } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { MergedExports } from './merged.service.js';
import { CheckpointsService } from './checkpoints.service.js';

/** A checkpoint's folders as tars: the adapter in PEFT's format, and the merged model. */
@Injectable()
export class CheckpointFiles {
  constructor(
    private readonly checkpoints: CheckpointsService,
    private readonly merged: MergedExports,
    private readonly store: ArtifactStore,
  ) {}

  async send(checkpointId: string, request: Request, response: Response): Promise<void> {
    const { path: folder, name, adapterSha256 } = await this.checkpoints.get({ checkpointId });
    await sendTar(await tarOf(folder, adapterSha256), `${name}-${adapterSha256.slice(0, 12)}`, request, response);
  }

  async sendMerged(wanted: GetMergedExportRequest, request: Request, response: Response): Promise<void> {
    const { state, sha256 } = await this.merged.get(wanted);
    if (state !== MergedState.MERGED_STATE_READY) {
      throw new DomainError('FAILED_PRECONDITION', 'The merged model is not there yet.', {
        hint: 'Start it with POST .../merge, and wait until its state is MERGED_STATE_READY.',
      });
    }
    const { name } = await this.checkpoints.get(wanted);
    await sendTar(await tarOf(this.store.treePath(sha256), sha256), `${name}-merged-${sha256.slice(0, 12)}`, request, response);
  }
}

async function tarOf(folder: string, digest: string): Promise<Tar> {
  const files = await filesBelow(folder);
  const entries = files.map((file) => fileEntry(file.split(path.sep).join('/'), path.join(folder, file)));
  return new Tar(await Promise.all(entries), digest);
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
